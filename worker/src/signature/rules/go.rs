//! Servers and tools written in Go, where the version can be read off the build information: the version of the product's own
//! module, or what the linker was told to set a variable to. Go's own texts have no ends, so nothing else is looked at.

use super::Rule;

pub(super) static RULES: &[Rule] = &[
    Rule {
        name: "traefik",
        cpe: ("traefik", "traefik"),
        files: &["traefik"],
        version: &[
            r"\n(?:mod|dep)\tgithub\.com/traefik/traefik(?:/v[0-9]{1,2})?\tv([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})[\t\n+]",
            r#"-X[ =][\'"\\]{0,3}github\.com/traefik/traefik(?:/v[0-9]{1,2})?/pkg/version\.Version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[(b"\nmod\tgithub.com/traefik/traefik/v3\tv3.7.15\t", "3.7.15")],
        others: &[
            b"\ndep\tgithub.com/traefik/traefik/v3-sdk\tv1.2.3\th1:\n",
            b"-X github.com/traefik/traefik/v3/pkg/version.VersionMetadata=1.2.3",
        ],
    },
    Rule {
        name: "caddy",
        cpe: ("caddyserver", "caddy"),
        files: &["caddy"],
        version: &[
            r"\n(?:mod|dep)\tgithub\.com/caddyserver/caddy(?:/v[0-9]{1,2})?\tv([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})[\t\n+]",
        ],
        examples: &[(b"\ndep\tgithub.com/caddyserver/caddy/v2\tv2.11.7\t", "2.11.7")],
        others: &[b"\ndep\tgithub.com/caddyserver/caddy/v3-sdk\tv1.2.3\th1:\n"],
    },
    Rule {
        name: "nats-server",
        cpe: ("linuxfoundation", "nats-server"),
        files: &["nats-server"],
        version: &[
            r"\n(?:mod|dep)\tgithub\.com/nats-io/nats-server(?:/v[0-9]{1,2})?\tv([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})[\t\n+]",
        ],
        examples: &[(b"\nmod\tgithub.com/nats-io/nats-server/v2\tv2.15.1\t", "2.15.1")],
        others: &[b"\ndep\tgithub.com/nats-io/nats-server/v3-sdk\tv1.2.3\th1:\n"],
    },
    // Its server is built as `(devel)`; the module of its interface carries the version of the release.
    Rule {
        name: "etcd",
        cpe: ("etcd", "etcd"),
        files: &["etcd", "etcdctl", "etcdutl"],
        version: &[r"\n(?:mod|dep)\tgo\.etcd\.io/etcd/api/v3\tv([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})[\t\n+]"],
        examples: &[(b"\ndep\tgo.etcd.io/etcd/api/v3\tv3.5.1\n", "3.5.1")],
        others: &[b"\ndep\tgo.etcd.io/etcd/api/v3-sdk\tv1.2.3\th1:\n"],
    },
    // The client's variable was not seen in a binary; it is the one of its scripts/build/.variables.
    Rule {
        name: "docker",
        cpe: ("docker", "docker"),
        files: &["dockerd", "docker"],
        version: &[
            r#"-X[ =][\'"\\]{0,3}github\.com/docker/docker/dockerversion\.Version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
            r#"-X[ =][\'"\\]{0,3}github\.com/docker/cli/cli/version\.Version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[(b"-X \\\"github.com/docker/docker/dockerversion.Version=20.10.24", "20.10.24")],
        others: &[b"-X github.com/docker/docker/dockerversion.VersionMetadata=1.2.3"],
    },
    // Not seen in a binary of a release: the variable of its build files, or its module.
    Rule {
        name: "consul",
        cpe: ("hashicorp", "consul"),
        files: &["consul"],
        version: &[
            r"\n(?:mod|dep)\tgithub\.com/hashicorp/consul\tv([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})[\t\n+]",
            r#"-X[ =][\'"\\]{0,3}github\.com/hashicorp/consul/version\.Version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[
            (b"\nmod\tgithub.com/hashicorp/consul\tv1.2.3\t\n", "1.2.3"),
            (b"build\t-ldflags=\"-s -w -X github.com/hashicorp/consul/version.Version=v1.2.3\"\n", "1.2.3"),
        ],
        others: &[
            b"\ndep\tgithub.com/hashicorp/consul-sdk\tv1.2.3\th1:\n",
            b"-X github.com/hashicorp/consul/version.VersionMetadata=1.2.3",
        ],
    },
    // Not seen in a binary of a release: the variable of its build files, or its module.
    Rule {
        name: "vault",
        cpe: ("hashicorp", "vault"),
        files: &["vault"],
        version: &[
            r"\n(?:mod|dep)\tgithub\.com/hashicorp/vault\tv([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})[\t\n+]",
            r#"-X[ =][\'"\\]{0,3}github\.com/hashicorp/vault/(?:sdk/)?version\.Version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[
            (b"\nmod\tgithub.com/hashicorp/vault\tv1.2.3\t\n", "1.2.3"),
            (b"build\t-ldflags=\"-s -w -X github.com/hashicorp/vault/sdk/version.Version=v1.2.3\"\n", "1.2.3"),
        ],
        others: &[
            b"\ndep\tgithub.com/hashicorp/vault-sdk\tv1.2.3\th1:\n",
            b"-X github.com/hashicorp/vault/sdk/version.VersionMetadata=1.2.3",
        ],
    },
    // Not seen in a binary of a release: the variable of its build files, or its module.
    Rule {
        name: "nomad",
        cpe: ("hashicorp", "nomad"),
        files: &["nomad"],
        version: &[
            r"\n(?:mod|dep)\tgithub\.com/hashicorp/nomad\tv([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})[\t\n+]",
            r#"-X[ =][\'"\\]{0,3}github\.com/hashicorp/nomad/version\.Version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[
            (b"\nmod\tgithub.com/hashicorp/nomad\tv1.2.3\t\n", "1.2.3"),
            (b"build\t-ldflags=\"-s -w -X github.com/hashicorp/nomad/version.Version=v1.2.3\"\n", "1.2.3"),
        ],
        others: &[
            b"\ndep\tgithub.com/hashicorp/nomad-sdk\tv1.2.3\th1:\n",
            b"-X github.com/hashicorp/nomad/version.VersionMetadata=1.2.3",
        ],
    },
    // Not seen in a binary of a release: the variable of its build files, or its module.
    Rule {
        name: "terraform",
        cpe: ("hashicorp", "terraform"),
        files: &["terraform"],
        version: &[
            r"\n(?:mod|dep)\tgithub\.com/hashicorp/terraform\tv([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})[\t\n+]",
            r#"-X[ =][\'"\\]{0,3}github\.com/hashicorp/terraform/version\.Version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[
            (b"\nmod\tgithub.com/hashicorp/terraform\tv1.2.3\t\n", "1.2.3"),
            (b"build\t-ldflags=\"-s -w -X github.com/hashicorp/terraform/version.Version=v1.2.3\"\n", "1.2.3"),
        ],
        others: &[
            b"\ndep\tgithub.com/hashicorp/terraform-sdk\tv1.2.3\th1:\n",
            b"-X github.com/hashicorp/terraform/version.VersionMetadata=1.2.3",
        ],
    },
    // Not seen in a binary of a release: the variable of its build files.
    Rule {
        name: "prometheus",
        cpe: ("prometheus", "prometheus"),
        files: &["prometheus", "promtool"],
        version: &[
            r#"-X[ =][\'"\\]{0,3}github\.com/prometheus/common/version\.Version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[(b"build\t-ldflags=\"-s -w -X github.com/prometheus/common/version.Version=v1.2.3\"\n", "1.2.3")],
        others: &[b"-X github.com/prometheus/common/version.VersionMetadata=1.2.3"],
    },
    // Not seen in a binary of a release: the variable of its build files.
    Rule {
        name: "alertmanager",
        cpe: ("prometheus", "alertmanager"),
        files: &["alertmanager", "amtool"],
        version: &[
            r#"-X[ =][\'"\\]{0,3}github\.com/prometheus/common/version\.Version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[(b"build\t-ldflags=\"-s -w -X github.com/prometheus/common/version.Version=v1.2.3\"\n", "1.2.3")],
        others: &[b"-X github.com/prometheus/common/version.VersionMetadata=1.2.3"],
    },
    // Not seen in a binary of a release: the variable of its build files.
    Rule {
        name: "node-exporter",
        cpe: ("prometheus", "node_exporter"),
        files: &["node_exporter"],
        version: &[
            r#"-X[ =][\'"\\]{0,3}github\.com/prometheus/common/version\.Version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[(b"build\t-ldflags=\"-s -w -X github.com/prometheus/common/version.Version=v1.2.3\"\n", "1.2.3")],
        others: &[b"-X github.com/prometheus/common/version.VersionMetadata=1.2.3"],
    },
    // Not seen in a binary of a release: the variable of its build files.
    Rule {
        name: "grafana",
        cpe: ("grafana", "grafana"),
        files: &["grafana", "grafana-server", "grafana-cli"],
        version: &[r#"-X[ =][\'"\\]{0,3}main\.version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#],
        examples: &[(b"build\t-ldflags=\"-s -w -X main.version=v1.2.3\"\n", "1.2.3")],
        others: &[b"-X main.versionMetadata=1.2.3"],
    },
    // Not seen in a binary of a release: the variable of its build files.
    Rule {
        name: "influxdb",
        cpe: ("influxdata", "influxdb"),
        files: &["influxd"],
        version: &[r#"-X[ =][\'"\\]{0,3}main\.version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#],
        examples: &[(b"build\t-ldflags=\"-s -w -X main.version=v1.2.3\"\n", "1.2.3")],
        others: &[b"-X main.versionMetadata=1.2.3"],
    },
    // Not seen in a binary of a release: the variable of its build files.
    Rule {
        name: "telegraf",
        cpe: ("influxdata", "telegraf"),
        files: &["telegraf"],
        version: &[
            r#"-X[ =][\'"\\]{0,3}github\.com/influxdata/telegraf/internal\.Version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[(
            b"build\t-ldflags=\"-s -w -X github.com/influxdata/telegraf/internal.Version=v1.2.3\"\n",
            "1.2.3",
        )],
        others: &[b"-X github.com/influxdata/telegraf/internal.VersionMetadata=1.2.3"],
    },
    // Not seen in a binary of a release: the variable of its build files, or its module.
    Rule {
        name: "containerd",
        cpe: ("linuxfoundation", "containerd"),
        files: &["containerd", "ctr"],
        version: &[
            r"\n(?:mod|dep)\tgithub\.com/containerd/containerd(?:/v[0-9]{1,2})?\tv([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})[\t\n+]",
            r#"-X[ =][\'"\\]{0,3}github\.com/containerd/containerd(?:/v[0-9]{1,2})?/version\.Version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[
            (b"\nmod\tgithub.com/containerd/containerd/v3\tv1.2.3\t\n", "1.2.3"),
            (b"build\t-ldflags=\"-s -w -X github.com/containerd/containerd/v3/version.Version=v1.2.3\"\n", "1.2.3"),
        ],
        others: &[
            b"\ndep\tgithub.com/containerd/containerd/v3-sdk\tv1.2.3\th1:\n",
            b"-X github.com/containerd/containerd/v3/version.VersionMetadata=1.2.3",
        ],
    },
    // Not seen in a binary of a release: the variable of its build files, or its module.
    Rule {
        name: "runc",
        cpe: ("linuxfoundation", "runc"),
        files: &["runc"],
        version: &[
            r"\n(?:mod|dep)\tgithub\.com/opencontainers/runc\tv([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})[\t\n+]",
            r#"-X[ =][\'"\\]{0,3}main\.version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[
            (b"\nmod\tgithub.com/opencontainers/runc\tv1.2.3\t\n", "1.2.3"),
            (b"build\t-ldflags=\"-s -w -X main.version=v1.2.3\"\n", "1.2.3"),
        ],
        others: &[b"\ndep\tgithub.com/opencontainers/runc-sdk\tv1.2.3\th1:\n", b"-X main.versionMetadata=1.2.3"],
    },
    // Not seen in a binary of a release: its module.
    Rule {
        name: "coredns",
        cpe: ("coredns.io", "coredns"),
        files: &["coredns"],
        version: &[r"\n(?:mod|dep)\tgithub\.com/coredns/coredns\tv([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})[\t\n+]"],
        examples: &[(b"\nmod\tgithub.com/coredns/coredns\tv1.2.3\t\n", "1.2.3")],
        others: &[b"\ndep\tgithub.com/coredns/coredns-sdk\tv1.2.3\th1:\n"],
    },
    // Not seen in a binary of a release: the variable of its build files, or its module.
    Rule {
        name: "helm",
        cpe: ("helm", "helm"),
        files: &["helm"],
        version: &[
            r"\n(?:mod|dep)\thelm\.sh/helm/v[34]\tv([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})[\t\n+]",
            r#"-X[ =][\'"\\]{0,3}helm\.sh/helm/v[34]/internal/version\.version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[
            (b"\nmod\thelm.sh/helm/v3\tv1.2.3\t\n", "1.2.3"),
            (b"build\t-ldflags=\"-s -w -X helm.sh/helm/v3/internal/version.version=v1.2.3\"\n", "1.2.3"),
        ],
        others: &[
            b"\ndep\thelm.sh/helm/v3-sdk\tv1.2.3\th1:\n",
            b"-X helm.sh/helm/v3/internal/version.versionMetadata=1.2.3",
        ],
    },
    // Not seen in a binary of a release: the variable of its build files.
    Rule {
        name: "kubernetes",
        cpe: ("kubernetes", "kubernetes"),
        files: &[
            "kubectl",
            "kubelet",
            "kubeadm",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kube-proxy",
        ],
        version: &[
            r#"-X[ =][\'"\\]{0,3}k8s\.io/component-base/version\.gitVersion=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[(b"build\t-ldflags=\"-s -w -X k8s.io/component-base/version.gitVersion=v1.2.3\"\n", "1.2.3")],
        others: &[b"-X k8s.io/component-base/version.gitVersionMetadata=1.2.3"],
    },
    // Not seen in a binary of a release: the variable of its build files.
    Rule {
        name: "cockroach",
        cpe: ("cockroachlabs", "cockroachdb"),
        files: &["cockroach"],
        version: &[
            r#"-X[ =][\'"\\]{0,3}github\.com/cockroachdb/cockroach/pkg/build\.tag=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#,
        ],
        examples: &[(b"build\t-ldflags=\"-s -w -X github.com/cockroachdb/cockroach/pkg/build.tag=v1.2.3\"\n", "1.2.3")],
        others: &[b"-X github.com/cockroachdb/cockroach/pkg/build.tagMetadata=1.2.3"],
    },
    // Not seen in a binary of a release: the variable of its build files.
    Rule {
        name: "gitea",
        cpe: ("gitea", "gitea"),
        files: &["gitea"],
        version: &[r#"-X[ =][\'"\\]{0,3}main\.Version=v?([0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,3})"#],
        examples: &[(b"build\t-ldflags=\"-s -w -X main.Version=v1.2.3\"\n", "1.2.3")],
        others: &[b"-X main.VersionMetadata=1.2.3"],
    },
];
