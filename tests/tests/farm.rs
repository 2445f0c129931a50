//! The farm on real servers: coordinators and workers as processes of their own, over RabbitMQ, Redis and S3. It finds what
//! a scan on one machine finds, pulls each layer once, and loses nothing whatever is killed under it. Each test ends with
//! queues, dead letters and claims empty.
//!
//! `LAZARET_FULL=1` runs the long versions; otherwise each is a seeded sample of it.

mod farm {
    mod advisories;
    mod alike;
    mod canaries;
    mod clocks;
    mod crashes;
    mod exposures;
    mod freezes;
    mod observed;
    mod once;
    mod outages;
    mod pair;
    mod registries;
    mod registry_faults;
    mod scene;
    mod secrets;
    mod tls;
}
