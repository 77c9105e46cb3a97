// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_FWD_HPP
#define SETTLE_FWD_HPP

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <variant>

// Forward declarations with default arguments, and the aliases that functions return.
namespace settle::inline v0 {

enum class cause : std::uint8_t;
enum class errc;
struct cancellation;
struct ending;
class error;

template <class T, class E = error>
class outcome;

struct std_sync;
struct single_thread_sync;
struct unsynchronized_terminal;
template <class Sync>
struct basic_cas_terminal;
using cas_terminal = basic_cas_terminal<std_sync>;

struct inline_executor;
template <class P>
struct policy_traits;
struct default_policy;
template <class T, class E = error, class Ex = inline_executor, class C = cas_terminal>
struct plain;

template <class C>
class basic_operation;
template <class C>
class basic_pin;
template <class C>
class basic_registration;
template <class P>
class resolver;
template <class P>
class shared_resolver;
template <class P>
class handle;
template <class P>
class watcher;

template <class P>
struct pinned_outcome;
template <class C>
class bound_to;

template <class C>
class basic_work_node;

using operation = basic_operation<cas_terminal>;
using work_node = basic_work_node<cas_terminal>;
using pin = basic_pin<cas_terminal>;
using registration = basic_registration<cas_terminal>;

/// What functions return: no executor, no allocator in the type.
template <class T, class E = error, class C = cas_terminal>
using handle_of = handle<plain<T, E, inline_executor, C>>;
template <class T, class E = error, class C = cas_terminal>
using watcher_of = watcher<plain<T, E, inline_executor, C>>;
template <class T, class E = error, class Ex = inline_executor, class C = cas_terminal>
using resolver_of = resolver<plain<T, E, Ex, C>>;

namespace detail {

/// void as a value.
template <class T>
using lift = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

struct outcome_access;
struct state_access;
enum class taking : std::uint8_t { value, outcome };
template <class P, taking How>
class join_awaiter;
enum class looking : std::uint8_t { value, outcome, pinned, taken, released };
template <class P, looking How>
class watch_awaiter;
template <class C>
struct state_base;
template <class C>
class engine;
template <class C>
class dispatcher;
template <class C>
class walker;
template <class C>
class released_wait;
template <class C>
struct hook;
template <class P>
struct cell;
template <class P, class Token>
struct token_door;  // an adapter's: a handle's outcome by completion token

}  // namespace detail
}  // namespace settle::inline v0

#endif
