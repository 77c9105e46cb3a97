// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_TERMINAL_HPP
#define SETTLE_POLICY_TERMINAL_HPP

#include "../fwd.hpp"
#include "single_thread_sync.hpp"
#include "sync.hpp"

namespace settle::inline v0 {

/// The thread-safe terminal: one word to settle by compare-and-swap, one count, hooks in rings behind a lock bit of the
/// word that is held for a few instructions and never while user code runs.
/// `Sync` is what it is made of: std_sync, or an explorer's.
template <class Sync>
struct basic_cas_terminal {
  using sync = Sync;  ///< what it is made of
};

/// For operations that one thread creates, uses and ends: no atomic instruction anywhere. What the operation is made of is
/// the same; only the words are plain integers. An assert traps a second thread in debug builds (with NDEBUG: undefined).
/// Meets operations of another terminal only by values.
///
/// ```cpp
/// struct radio : settle::default_policy {
///   using value_type = frame;
///   using terminal   = settle::unsynchronized_terminal;
/// };
/// ```
struct unsynchronized_terminal {
  using sync = single_thread_sync;  ///< plain integers
};

/// A terminal names the synchronisation it is made of: `using sync = ...;`.
template <class C>
concept terminal = requires { typename C::sync; };

}  // namespace settle::inline v0

#endif
