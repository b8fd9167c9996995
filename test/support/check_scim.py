"""Runs scim2-tester (PyPI) against a server: check_scim.py URL TOKEN. Prints one JSON line."""

import json
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server

url, token = sys.argv[1:]
client = Client(base_url=url, headers={"Authorization": f"Bearer {token}"})
results = check_server(SyncSCIMClient(client))
failed = [f"{each.title}: {each.reason}" for each in results if each.status.name == "ERROR"]
print(json.dumps({"checks": len(results), "failed": failed}))
