"""Prints every version that the first records of OSV dumps name, sorted, one a line: osv_versions.py RECORDS ZIP..."""

import json
import sys
import zipfile

found = set()
for path in sys.argv[2:]:
    with zipfile.ZipFile(path) as dump:
        for name in sorted(dump.namelist())[: int(sys.argv[1])]:
            for affected in json.loads(dump.read(name)).get("affected", []):
                found.update(affected.get("versions") or [])
                ranges = affected.get("ranges") or []
                # Two records of Debian's dump have a lone object where the schema wants a list.
                for bounds in [ranges] if isinstance(ranges, dict) else ranges:
                    if bounds["type"] != "GIT":
                        found.update(version for event in bounds["events"] for version in event.values())
print("\n".join(sorted(version for version in found if version.isprintable())))
