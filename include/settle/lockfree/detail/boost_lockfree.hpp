// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_LOCKFREE_DETAIL_BOOST_LOCKFREE_HPP
#define SETTLE_LOCKFREE_DETAIL_BOOST_LOCKFREE_HPP

// IWYU pragma: private, include <settle/lockfree/queue.hpp>

// g++ 16 says of Boost's free list that it reads a tag which nobody has written: it reads what is there, so that it changes.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <boost/lockfree/policies.hpp>
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/stack.hpp>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif
