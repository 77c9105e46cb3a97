// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_SETTLE_HPP
#define SETTLE_SETTLE_HPP

// Everything of the core but the combinators, which combine/combine.hpp takes in. The standard library only.
#include "bound_to.hpp"
#include "cancel_callback.hpp"
#include "cause.hpp"
#include "coroutine.hpp"
#include "done_callback.hpp"
#include "errc.hpp"
#include "error.hpp"
#include "fwd.hpp"
#include "handle.hpp"
#include "initiate.hpp"
#include "link_stop_token.hpp"
#include "memory/arena.hpp"
#include "observe/census.hpp"
#include "observe/counters.hpp"
#include "operation.hpp"
#include "outcome.hpp"
#include "pin.hpp"
#include "policy/default_policy.hpp"
#include "policy/policy_traits.hpp"
#include "policy/static_pool.hpp"
#include "registration.hpp"
#include "resolver.hpp"
#include "shared_resolver.hpp"
#include "start_on.hpp"
#include "this_operation.hpp"
#include "time/sleep.hpp"
#include "time/timer_wheel.hpp"
#include "version.hpp"
#include "watcher.hpp"

#endif
