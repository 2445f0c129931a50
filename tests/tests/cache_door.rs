//! The cache door on real servers: the contract, and every fault of the server is a miss within a bounded time.

mod cache_door {
    mod access;
    mod contract;
    mod faults;
    mod figures;
    mod hostile_values;
    mod witness;
}
