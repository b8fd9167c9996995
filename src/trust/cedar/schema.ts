/** What policies may speak of. `policies/gatehouse.cedarschema` is the same text for people; a test compares them. */
export const SCHEMA = `// What policies may speak of. This text is part of Gatehouse: a copy for people stands at
// policies/gatehouse.cedarschema, and changing the copy changes nothing.

// Who asks.
entity Tenant;
entity Space in [Tenant];
entity Group in [Space, Tenant];
entity Role in [Space, Tenant];
entity User in [Space, Group, Role];
entity Service in [Space, Group, Role];
// System::"operator" owns the home; System::"<job>" is a job of the door itself. System::"gatehouse" is also what
// admin acts are done to.
entity System;

// What is asked for.
entity Model in [Space] = {
  provider: String,
  // Where the provider computes, when the operator says so.
  region?: String,
};
entity Dataset in [Space];
entity Tool in [Space];
entity Secret in [Space];
entity Artifact in [Space];
entity Endpoint in [Space];

// What every question brings along.
type Context = {
  // Names of what inspection found in the request, as in "credential.pem"; empty when the question is asked first.
  findings: Set<String>,
  // True when the caller proved itself with a key; false on the admin socket.
  via_key: Bool,
};

// To use models.
action "model:use";
action "model:infer", "model:list" in ["model:use"] appliesTo {
  principal: [User, Service, System],
  resource: [Model, Endpoint],
  context: Context,
};

// To see what inspection would take out of requests and answers of a model; asked when it found something. Not permitted
// means masked. In no group, so that no permit to use models shows anything.
//   content:raw  credentials and hidden text
//   pii:reveal   e-mail addresses, card and account numbers
action "content:raw", "pii:reveal" appliesTo {
  principal: [User, Service, System],
  resource: [Model],
  context: Context,
};

// To read why a request was refused. A caller sees its own requests only, whatever policy says.
action "entry:explain" appliesTo {
  principal: [User, Service, System],
  resource: [Endpoint, System],
  context: Context,
};

// To run Gatehouse.
action "admin";
action
  "key:create", "key:list", "key:rotate", "key:revoke",
  "caller:list", "caller:disable", "caller:enable",
  "policy:check", "policy:change", "policy:show",
  "ledger:read", "ledger:verify",
  "health:read", "config:read", "listener:read",
  "door:start", "door:stop"
in ["admin"] appliesTo {
  principal: [User, Service, System],
  resource: [System],
  context: Context,
};
`
