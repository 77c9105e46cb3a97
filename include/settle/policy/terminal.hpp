// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_TERMINAL_HPP
#define SETTLE_POLICY_TERMINAL_HPP

#include "../fwd.hpp"
#include "sync.hpp"

namespace settle::inline v0 {

/// The thread-safe terminal: one word to settle by compare-and-swap, one count, hooks in rings behind a lock bit of the
/// word that is held for a few instructions and never while user code runs.
/// `Sync` is what it is made of: std_sync, or an explorer's.
template <class Sync>
struct basic_cas_terminal {
  using sync = Sync;
};

/// A terminal names the synchronisation it is made of: `using sync = ...;`.
template <class C>
concept terminal = requires { typename C::sync; };

}  // namespace settle::inline v0

#endif
