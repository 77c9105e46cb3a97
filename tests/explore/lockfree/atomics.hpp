// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_EXPLORE_LOCKFREE_ATOMICS_HPP
#define SETTLE_TESTS_EXPLORE_LOCKFREE_ATOMICS_HPP

#include <settle/testing/weave/atomic.hpp>

// Boost.Lockfree as it is, made of the explorer's atomics: this comes before its headers, in place of the one that chooses them.
#define BOOST_LOCKFREE_DETAIL_ATOMIC_HPP
namespace boost::lockfree {
namespace detail {
using settle::testing::weave::atomic;
using std::memory_order_acquire;
using std::memory_order_consume;
using std::memory_order_relaxed;
using std::memory_order_release;
}  // namespace detail
using namespace detail;
}  // namespace boost::lockfree

#endif
