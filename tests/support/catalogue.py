"""What PostgreSQL's own catalogue says about row-level security: a new table cannot escape it."""

import asyncpg

_TABLES = """
    SELECT c.oid::regclass::text AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced
    FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'
    ORDER BY 1
"""
_UNCOVERED = """
    SELECT DISTINCT c.oid::regclass::text AS name, r.rolname AS role, acl.privilege_type AS privilege
    FROM pg_class c
    CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
    JOIN pg_roles r ON r.oid = acl.grantee
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'
      AND acl.grantee <> c.relowner
      AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
      AND NOT EXISTS (
          SELECT FROM pg_policy p
          WHERE p.polrelid = c.oid AND p.polpermissive AND acl.grantee = ANY(p.polroles)
            AND (p.polcmd = '*' OR p.polcmd = CASE acl.privilege_type
                WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' WHEN 'UPDATE' THEN 'w' ELSE 'd' END::"char"))
    ORDER BY 1, 2, 3
"""
_OPEN_TO_ALL = """
    SELECT c.oid::regclass::text AS name
    FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace = 'public'::regnamespace AND acl.grantee = 0
"""
# A view reads as its owner, and so past the reader's policies, unless it says security_invoker.
_VIEWS = """
    SELECT c.oid::regclass::text AS name, c.relkind = 'm' AS stored FROM pg_class c
    WHERE c.relkind IN ('v', 'm') AND c.relnamespace = 'public'::regnamespace
      AND NOT coalesce('security_invoker=true' = ANY(c.reloptions) OR 'security_invoker=on' = ANY(c.reloptions), false)
"""
_ROLES = """
    SELECT r.rolname AS name FROM pg_roles r
    WHERE r.rolname = ANY($1) AND (r.rolsuper OR r.rolbypassrls OR EXISTS (
        SELECT FROM pg_class c WHERE c.relowner = r.oid AND c.relnamespace = 'public'::regnamespace))
"""


async def faults_of_row_security(url: str, service: str) -> list[str]:
    """Walks every table of a migrated database; answers what is wrong, one sentence each: empty means all is well.

    `url`: the database under any role that may connect, the owner's for one. Every ordinary table and partition but
    `alembic_version` must have row-level security enabled and forced, and a policy for each privilege that each role
    was granted; nothing is granted to everybody, no view passes the policies by, and neither `<service>_api` nor
    `<service>_worker` is a superuser, bypasses row-level security or owns a table.
    """
    connection = await asyncpg.connect(url, timeout=10)
    try:
        tables = await connection.fetch(_TABLES)
        uncovered = await connection.fetch(_UNCOVERED)
        public = await connection.fetch(_OPEN_TO_ALL)
        views = await connection.fetch(_VIEWS)
        mighty = await connection.fetch(_ROLES, [f"{service}_api", f"{service}_worker"])
    finally:
        await connection.close()
    faults = [] if tables else ["the database has no tables: migrate it first"]
    for table in tables:
        if not table["enabled"]:
            faults.append(f"{table['name']}: row-level security is not enabled; call protect() in its migration")
        elif not table["forced"]:
            faults.append(f"{table['name']}: row-level security is not forced; call protect() in its migration")
    faults += [f"{row['name']}: {row['role']} was granted {row['privilege']} without a policy" for row in uncovered]
    faults += [f"{row['name']}: granted to everybody" for row in public]
    faults += [
        f"{row['name']}: a view that passes policies by; make it WITH (security_invoker = true)" for row in views
    ]
    faults += [f"{row['name']}: may pass row-level security by" for row in mighty]
    return faults
