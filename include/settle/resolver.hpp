// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_RESOLVER_HPP
#define SETTLE_RESOLVER_HPP

#include <concepts>
#include <memory>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>

#include "detail/born.hpp"
#include "detail/cell.hpp"
#include "detail/cleanups.hpp"
#include "detail/direct.hpp"
#include "detail/engine.hpp"
#include "detail/producer.hpp"
#include "handle.hpp"
#include "operation.hpp"
#include "pin.hpp"

namespace settle::inline v0 {

/// The producer's end: the sole writer of the outcome. Move-only, used by one thread at a time.
///
/// A pin of its own until it is gone or has settled: nothing the operation owns is given back while the producer may
/// still write to it. Destroyed unsettled, the operation is cancelled with the cause that was asked for, or abandoned,
/// which the error sink is told. After settling, won or lost, it is empty.
///
/// ```cpp
/// settle::resolver_of<int> r;
/// settle::handle_of<int> h = r.get_handle();
/// auto& b = r.own(std::make_unique<buffer>());  // given back with the operation
/// r.complete(42);
/// ```
template <class P>
class resolver : detail::producer<P> {
  using base = detail::producer<P>;
  using base::cell_, base::lost, base::announce, base::give_up;
  using typename base::access, typename base::C, typename base::cell, typename base::engine;

 public:
  using policy_type = P;                            ///< how the operation behaves
  using executor_type = typename P::executor_type;  ///< where its user code runs
  using T = typename P::value_type;                 ///< what it settles with
  using E = typename P::error_type;                 ///< what it fails with
  using stored = detail::lift<T>;                   ///< T, or std::monostate for void

  /// A new pending operation: one allocation. Throws std::bad_alloc.
  [[gnu::always_inline]] explicit resolver(executor_type ex, std::source_location at = std::source_location::current())
      : resolver(std::allocator_arg, typename P::allocator_type(), std::move(ex), at) {}
  /// The same on a default constructed executor.
  [[gnu::always_inline]] explicit resolver(std::source_location at = std::source_location::current())
    requires(std::default_initializable<executor_type>)
      : resolver(executor_type(), at) {}

  /// Born adopted: a child of `parent` from the start. Throws std::bad_alloc.
  explicit resolver(basic_operation<C> parent, executor_type ex, std::source_location at = std::source_location::current())
      : resolver(std::move(ex), at) {
    detail::state_access::adopt_newborn(parent, *cell_);
  }
  /// The same on a default constructed executor.
  explicit resolver(basic_operation<C> parent, std::source_location at = std::source_location::current())
    requires(std::default_initializable<executor_type>)
      : resolver(std::move(parent), executor_type(), at) {}

  /// From an instance of the allocator, which moves into the state. What it draws from must outlive every reference to the
  /// operation. Throws std::bad_alloc.
  [[gnu::always_inline]] resolver(std::allocator_arg_t, typename P::allocator_type a, executor_type ex = executor_type(),
                                  std::source_location at = std::source_location::current())
      : base(cell::make(std::move(ex), std::move(a), at)) {
    if (cell_ == nullptr) detail::raise(std::bad_alloc());
  }

  /// Empty instead of throwing when there is no memory.
  explicit resolver(std::nothrow_t, executor_type ex = executor_type(), std::source_location at = std::source_location::current()) noexcept
      : base(cell::make(std::move(ex), typename P::allocator_type(), at)) {}

  /// The cheapest form: a new pending operation whose consumer, `f(outcome&&)`, `f(ending)` or `f()`, is born with it. It
  /// runs once, on every path, as one given to `handle::on_done(F) &&` would, and dies right after; there is no handle.
  /// One allocation, and no atomic read-modify-write while nobody else refers to the operation. Throws std::bad_alloc, and
  /// what moving `f` throws.
  ///
  /// ```cpp
  /// auto r = settle::resolver_of<int>::with_done([](settle::outcome<int>&& out) { use(std::move(out)); });
  /// r.complete(42);  // runs it
  /// ```
  template <class F>
  static resolver with_done(F f, executor_type ex = executor_type(), std::source_location at = std::source_location::current()) {
    cell* const c = detail::born_cell<P, F>::make(std::move(f), std::move(ex), typename P::allocator_type(), at);
    if (c == nullptr) detail::raise(std::bad_alloc());
    return resolver(c);
  }

  /// The source is empty afterwards: it may be destroyed on any thread, and settles nothing.
  resolver(resolver&& o) noexcept : base(std::exchange(o.cell_, nullptr)) {}
  /// What it stood for before is dropped unsettled, as by the destructor.
  resolver& operator=(resolver&& o) noexcept {
    resolver gone(std::move(*this));
    cell_ = std::exchange(o.cell_, nullptr);
    return *this;
  }
  ~resolver() {
    if (cell_ != nullptr) [[unlikely]]
      engine::abandon(*cell_, cell_->sole());
  }

  /// False once it has settled (or lost), or was moved from.
  explicit operator bool() const noexcept { return cell_ != nullptr; }

  /// The owner's end. No atomic read-modify-write while nobody else refers to the operation. Once; a second call, or one on an operation
  /// `with_done`, gives an empty handle.
  handle<P> get_handle() noexcept {
    if (cell_ == nullptr) return {};
    if (cell_->hand_out_alone()) return handle<P>(basic_operation<C>(cell_));
    return get_handle_beside_others();
  }

  /// A reference for parents, helpers, cancellers. Empty when this is.
  [[nodiscard]] basic_operation<C> op() const noexcept { return cell_ == nullptr ? basic_operation<C>() : basic_operation<C>::of(*cell_); }

  /// Settles with a value. True to the winner; false: somebody settled it before, and the argument is as it was.
  /// Cost: no atomic read-modify-write when only the producer, and a consumer that took the handle, refer to the operation;
  /// else one, one more for the release, and one more when there are cleanups.
  /// What moving or copying the value throws comes out of here, the operation still pending.
  bool complete(stored&& v)
    requires(!std::is_void_v<T>)
  {
    if constexpr (std::is_nothrow_move_constructible_v<stored>) return this->complete_quietly(v);
    else return this->complete_claimed([&](void* at) { ::new (at) stored(std::move(v)); });
  }
  /// The same with a copy. A copy that throws leaves the operation pending.
  bool complete(stored const& v)
    requires(!std::is_void_v<T> && std::is_copy_constructible_v<stored>)
  {
    if (lost()) return give_up();
    ::new (static_cast<void*>(access::value(cell_->result))) stored(v);
    return announce(detail::outcome_head::value) || (std::destroy_at(access::value(cell_->result)), give_up());
  }
  /// The same for void. Never throws.
  bool complete() noexcept
    requires(std::is_void_v<T>)
  {
    if (cell_ == nullptr) return false;
    return announce(detail::outcome_head::value) || give_up();
  }

  /// Settles with an error. True to the winner.
  bool fail(E e) noexcept {
    if (lost()) return give_up();
    ::new (static_cast<void*>(access::error(cell_->result))) E(std::move(e));
    return announce(detail::outcome_head::failure) || (std::destroy_at(access::error(cell_->result)), give_up());
  }

  /// Acknowledges a request with the cause that was asked for (cause::requested when nobody did). True to the winner.
  bool cancel(std::source_location at = std::source_location::current()) noexcept {
    if (cell_ == nullptr) return false;
    return this->acknowledge(cancellation(cause::requested, at));
  }

  /// Settles with an outcome. True to the winner.
  bool settle(outcome<T, E>&& o) {
    if (o.has_error()) return fail(std::move(o).error());
    if (!o.has_value()) {
      return cell_ != nullptr && this->acknowledge(o.cancel());
    }
    if constexpr (std::is_void_v<T>) return complete();
    else return complete(std::move(o).value());
  }

  /// Gives a resource to the operation; the reference is good while the resolver lives and has not settled. No memory:
  /// the resource is given back, then std::bad_alloc.
  template <class R>
  R& own(R r) {
    return detail::owning<C>::own(*cell_, std::move(r), cell_->sole());
  }
  /// The same with a typed closer: `closer(R)` noexcept.
  template <class R, class Closer>
  R& own(R r, Closer closer) {
    return detail::owning<C>::own(*cell_, std::move(r), std::move(closer), cell_->sole());
  }
  /// Null: full, or no memory; nothing was made.
  template <class R, class... A>
  R* try_own(A&&... args) noexcept {
    return detail::owning<C>::template try_own<R>(*cell_, cell_->sole(), std::forward<A>(args)...);
  }
  /// As basic_operation::on_cleanup; before anybody else sees the operation it costs no atomic operation.
  template <class F>
  [[gnu::always_inline]] bool on_cleanup(F f) {
    return detail::direct<P>::keep_in_slot(*cell_, f) || this->on_cleanup_in_any_case(f);
  }
  /// As basic_operation::on_cancel: the place to stop the work. Allocates one block; throws std::bad_alloc.
  template <class F>
  basic_registration<C> on_cancel(F f) {
    return op().on_cancel(std::move(f));
  }

  /// The producer's duty as a pointer, for the user pointer of a C API; null of an empty resolver. Whoever holds it owes
  /// `from_raw`, once: until then the operation cannot end but by a cancel, and is never released. Nothing is allocated.
  ///
  /// ```cpp
  /// c_read(fd, on_read, std::move(r).into_raw());
  /// void on_read(void* user, int n) { settle::resolver<read>::from_raw(user).complete(n); }
  /// ```
  [[nodiscard]] void* into_raw() && noexcept { return std::exchange(cell_, nullptr); }
  /// The resolver back, of the same policy. Once for each `into_raw`; of null: an empty one.
  [[nodiscard]] static resolver from_raw(void* duty) noexcept { return resolver(static_cast<cell*>(duty)); }

 private:
  template <class>
  friend class shared_resolver;
  friend struct detail::state_access;

  explicit resolver(cell* c) noexcept : base(c) {}

  [[gnu::noinline]] handle<P> get_handle_beside_others() noexcept {
    std::uint32_t const w = cell_->lock();
    bool const first = (w & detail::word::handled) == 0;
    cell_->unlock(first ? w | detail::word::handled | detail::word::owned : w);
    return first ? handle<P>(op()) : handle<P>();
  }
};

}  // namespace settle::inline v0

#endif
