//! The smallest part of a stack that still fails: layers and entries are dropped as long as it does.

use super::Stack;
use super::tree::Tree;

/// Drops whole layers, then entries, greedily until nothing can go; `fails` says whether a stack still does. Stacks that a
/// runtime would refuse are not tried.
pub fn shrink(mut stack: Stack, fails: impl Fn(&Stack) -> bool) -> Stack {
    let tries = |smaller: &Stack| is_accepted(smaller) && fails(smaller);
    loop {
        let before = (stack.layers.len(), stack.entries());
        for layer in (0..stack.layers.len()).rev() {
            let mut smaller = stack.clone();
            smaller.layers.remove(layer);
            if tries(&smaller) {
                stack = smaller;
            }
        }
        for layer in 0..stack.layers.len() {
            for entry in (0..stack.layers[layer].len()).rev() {
                let mut smaller = stack.clone();
                smaller.layers[layer].remove(entry);
                if tries(&smaller) {
                    stack = smaller;
                }
            }
        }
        if before == (stack.layers.len(), stack.entries()) {
            return stack;
        }
    }
}

fn is_accepted(stack: &Stack) -> bool {
    let mut tree = Tree::default();
    stack.layers.iter().all(|layer| {
        let accepted = layer.iter().all(|entry| tree.apply(entry).is_ok());
        tree.next_layer();
        accepted
    })
}
