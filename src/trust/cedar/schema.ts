/** What policies may speak of. `policies/gatehouse.cedarschema` is the same text for people; a test compares them. */
export const SCHEMA = `// What policies may speak of. This text is part of Gatehouse: a copy for people stands at
// policies/gatehouse.cedarschema, and changing the copy changes nothing.

// Who asks, and what that belongs to. A space is in its parent only where it was made to inherit.
entity Tenant;
entity Space in [Space, Tenant];
entity Role in [Space, Tenant];
entity Group in [Group, Space, Tenant, Role];
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
// Who takes tokens that are made here, as identity.audiences names them.
entity Audience in [Space];

// How sure Gatehouse is of the caller: from signed claims or its own ceremonies, never from what a request asks for.
type Assurance = {
  // Authentication assurance level of NIST SP 800-63B: 1 to 3. A key alone is 1.
  aal: Long,
  // "key", "token", "certificate", "exchange", "socket" or "system".
  via: String,
  // What the credential is bound to, so that a copy alone is worth nothing: "none", "dpop" or "mtls".
  binding: String,
  // Authentication methods (RFC 8176).
  amr: Set<String>,
  // Who acts for the caller, now and before; empty where it acts itself.
  actors: Set<String>,
  acr?: String,
  // Seconds since 1970, when the person signed in.
  auth_time?: Long,
};

// What every question brings along.
type Context = {
  // Names of what inspection found in the request, as in "credential.pem"; empty when the question is asked first.
  findings: Set<String>,
  // True when the caller proved itself with a key; false on the admin socket.
  via_key: Bool,
  assurance: Assurance,
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

// To read why a request was refused, and to get proofs of what the ledger has of it. A caller sees its own requests only,
// whatever policy says.
action "entry:explain", "entry:receipt" appliesTo {
  principal: [User, Service, System],
  resource: [Endpoint, System],
  context: Context,
};

// To read the entries of the ledger in bundles, as who follows or mirrors it does. They tell who did what and when, in
// pseudonyms. In no group, so that no other permit shows them.
action "log:read-entries" appliesTo {
  principal: [User, Service, System],
  resource: [Endpoint],
  context: Context,
};

// To make a token for an audience. Asked of who asks for the token and of whom it is about, which both need it; where these are
// two, the one also needs token:act_for on the other.
action "token:exchange" appliesTo {
  principal: [User, Service],
  resource: [Audience],
  context: Context,
};
action "token:act_for" appliesTo {
  principal: [User, Service],
  resource: [User, Service],
  context: Context,
};

// To run Gatehouse.
action "admin";
action
  "key:create", "key:list", "key:rotate", "key:revoke",
  "caller:list", "caller:show", "caller:create", "caller:disable", "caller:enable", "caller:space", "caller:delete",
  "group:list", "group:show", "group:create", "group:add", "group:remove", "group:nest", "group:delete",
  "role:list", "role:give", "role:take",
  "space:list", "space:create", "space:change",
  "tenant:list", "tenant:create",
  "policy:check", "policy:change", "policy:show",
  "ledger:read", "ledger:verify", "ledger:compact", "ledger:reindex",
  "home:backup",
  "limit:list", "limit:set",
  "health:read", "config:read", "listener:read",
  "door:start", "door:stop",
  "token_key:list", "token_key:rotate",
  "log_key:rotate"
in ["admin"] appliesTo {
  principal: [User, Service, System],
  resource: [System],
  context: Context,
};

// To keep users and groups by SCIM, as an identity provider does. It reaches only those that it made.
action "scim" in ["admin"];
action "scim:read", "scim:write" in ["scim"] appliesTo {
  principal: [User, Service, System],
  resource: [System],
  context: Context,
};
`
