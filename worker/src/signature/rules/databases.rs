//! Databases, caches and what stands before them.

use super::Rule;

pub(super) static RULES: &[Rule] = &[
    // The build identifier is version, host and second of the build, changed lines and commit, with nothing
    // between them; hosts of containers have twelve digits.
    Rule {
        name: "redis",
        cpe: ("redis", "redis"),
        files: &["redis-server", "redis-cli", "redis-sentinel", "redis-check-aof", "redis-check-rdb"],
        version: &[
            r"\x00([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})\x00(?:c11|sync|atomic)-builtin\x00",
            r"([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})(?:[0-9a-f]{12}-1[0-9]{9}[0-9]{1,6}|buildkitsandbox-1[0-9]{9}[0-9]{1,6}|1[0-9]{9}[0-9])[0-9a-f]{8}\x00",
        ],
        examples: &[
            (b"\x007.0.15\0c11-builtin\0", "7.0.15"),
            (b"7.0.151790282056000000000\0", "7.0.15"),
            (b"\x006.2.5\0c11-builtin\0", "6.2.5"),
        ],
        others: &[b"Redis server v=%s sha=%s:%d malloc=%s bits=%d build=%llx\n\0", b"\0jemalloc\x005.2.1\0"],
    },
    Rule {
        name: "valkey",
        cpe: ("linuxfoundation", "valkey"),
        files: &[
            "valkey-server",
            "valkey-cli",
            "valkey-sentinel",
            "valkey-check-aof",
            "valkey-check-rdb",
            "valkey-benchmark",
        ],
        version: &[
            r"valkey([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})(?:[0-9a-f]{12}-1[0-9]{9}[0-9]{1,6}|buildkitsandbox-1[0-9]{9}[0-9]{1,6}|1[0-9]{9}[0-9])[0-9a-f]{8}\x00",
        ],
        examples: &[(b"valkey9.1.22036e910ab2c-179260013845336800000000\0", "9.1.2")],
        others: &[b"\0response_policy:one_succeeded\x009.1.0\0"],
    },
    Rule {
        name: "memcached",
        cpe: ("memcached", "memcached"),
        files: &["memcached"],
        version: &[r"\x00memcached (1\.[0-9]{1,2}\.[0-9]{1,3})\n?\x00"],
        examples: &[(b"\0memcached 1.6.18\0", "1.6.18")],
        others: &[b"\0memcached %s\0VERSION 1.6.18\0"],
    },
    Rule {
        name: "postgresql",
        cpe: ("postgresql", "postgresql"),
        files: &[
            "postgres",
            "initdb",
            "pg_ctl",
            "psql",
            "pg_dump",
            "pg_dumpall",
            "pg_restore",
            "pg_basebackup",
            "pgbench",
        ],
        version: &[r"\(PostgreSQL\) ([0-9]{1,2}(?:\.[0-9]{1,3}){1,2}|[0-9]{2}(?:devel|beta[0-9]|rc[0-9]))"],
        examples: &[(b"(PostgreSQL) 15.20", "15.20"), (b"(PostgreSQL) 18.4", "18.4")],
        others: &[b"%s (PostgreSQL) %s\n\0", b"PostgreSQL 9.6 or later\0"],
    },
    // Paths of the sources, in checks and in errors: seen in libmysqlclient as Oracle builds it into its
    // connectors, not in a server.
    Rule {
        name: "mysql",
        cpe: ("oracle", "mysql"),
        files: &["mysqld", "mysqld-debug", "mysql", "mysqladmin", "mysqldump", "mysqlsh", "libmysqlclient*"],
        version: &[r"/mysql-([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,3})/"],
        examples: &[(b"/mysql-26.10.0/", "26.10.0")],
        others: &[b"/usr/share/mysql-8.0/charsets\0", b"\x008.0.36-MariaDB\0/mysql/"],
    },
    Rule {
        name: "mariadb",
        cpe: ("mariadb", "mariadb"),
        files: &[
            "mariadbd",
            "mysqld",
            "mariadb",
            "mysql",
            "mariadb-dump",
            "mysqldump",
            "mariadb-admin",
            "mysqladmin",
            "mariadb-upgrade",
            "mariadb-backup",
        ],
        version: &[r"([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,3})-MariaDB"],
        examples: &[(b"\x0010.11.19-MariaDB", "10.11.19")],
        others: &[b"\0-MariaDB\0MariaDB 10.11.19\0", b"/mysql-8.0.36/sql/mysqld.cc\0"],
    },
    // Not seen in a binary: Percona builds below a directory of this name, as Oracle does with MySQL.
    Rule {
        name: "percona-server",
        cpe: ("percona", "percona_server"),
        files: &["mysqld", "mysql", "mysqladmin", "mysqldump"],
        version: &[r"/percona-server-([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,3}-[0-9]{1,3})/"],
        examples: &[(b"/percona-server-8.0.36-28/sql/mysqld.cc\0", "8.0.36-28")],
        others: &[b"/usr/share/percona-server/\0", b"/mysql-8.0.36/sql/mysqld.cc\0"],
    },
    // Not seen in a binary: `version_constants.h` has the version and the commit one after the other. Where a
    // linker parts them, nothing is said.
    Rule {
        name: "mongodb",
        cpe: ("mongodb", "mongodb"),
        files: &["mongod", "mongos", "mongo"],
        version: &[r"\x00([0-9]\.[0-9]{1,2}\.[0-9]{1,2}(?:-rc[0-9]{1,2})?)\x00{1,8}[0-9a-f]{40}\x00"],
        examples: &[(b"\x004.4.29\0f4dda329a99811c707eb06d05ad023599f9be263\0", "4.4.29")],
        others: &[b"\x004.4.29\0modules\0", b"\x004.4\0f4dda329a99811c707eb06d05ad023599f9be263\0"],
    },
    Rule {
        name: "sqlite",
        cpe: ("sqlite", "sqlite"),
        files: &["sqlite3", "libsqlite3*"],
        version: &[r"\x00(3\.[0-9]{1,2}\.[0-9]{1,2}(?:\.[0-9]{1,2})?)\x00"],
        examples: &[(b"\x003.40.1\0", "3.40.1")],
        others: &[b"SQLite version %s %.19s\n\0", b"\0OpenSSL 3.0.22\0"],
    },
    Rule {
        name: "clickhouse",
        cpe: ("clickhouse", "clickhouse"),
        files: &["clickhouse", "clickhouse-server", "clickhouse-client", "clickhouse-common-static"],
        version: &[r"\x00ClickHouse ([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,3}(?:\.[0-9]{1,5})?)\x00"],
        examples: &[(b"\0ClickHouse 18.16.1\0", "18.16.1")],
        others: &[b"\0ClickHouse server version \0ClickHouse %s\0"],
    },
    Rule {
        name: "tarantool",
        cpe: ("tarantool", "tarantool"),
        files: &["tarantool"],
        version: &[r"\x00([0-9]\.[0-9]{1,2}\.[0-9]{1,2})(?:-[a-z0-9]{1,8})?-[0-9]{1,5}-g[0-9a-f]{7,10}\x00"],
        examples: &[(b"\x002.6.0-0-g47aa4e01e\0", "2.6.0")],
        others: &[b"\0Tarantool %s\x002.6.0\0"],
    },
    Rule {
        name: "firebird",
        cpe: ("firebirdsql", "firebird"),
        files: &["firebird", "fbserver", "libfbclient*", "libEngine*", "isql-fb", "gbak"],
        version: &[r"Firebird [0-9]\.[0-9]\x00LI-[VTB]([0-9]\.[0-9]\.[0-9]{1,2})\.[0-9]{1,6} Firebird"],
        examples: &[(b"Firebird 3.0\0LI-V3.0.11.33637 Firebird", "3.0.11")],
        others: &[b"Firebird 3.0\0LI-V%d.%d.%d.%d Firebird\0"],
    },
    Rule {
        name: "pgbouncer",
        cpe: ("pgbouncer", "pgbouncer"),
        files: &["pgbouncer"],
        version: &[r"\x00PgBouncer (1\.[0-9]{1,2}\.[0-9]{1,2})\n?\x00"],
        examples: &[(b"\0PgBouncer 1.18.0\0", "1.18.0")],
        others: &[b"\0PgBouncer %s\x001.18.0/bouncer\0"],
    },
    Rule {
        name: "pgpool",
        cpe: ("pgpool", "pgpool-ii"),
        files: &["pgpool", "wd_cli"],
        version: &[r"\x00([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00pgpool-II\x00"],
        examples: &[(b"\x004.3.5\0pgpool-II\0", "4.3.5")],
        others: &[b"\0pgpool-II\x004.3.5\0"],
    },
];
