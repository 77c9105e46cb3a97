// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_SHARED_RESOLVER_HPP
#define SETTLE_SHARED_RESOLVER_HPP

#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "detail/cell.hpp"
#include "detail/engine.hpp"
#include "resolver.hpp"

namespace settle::inline v0 {

/// For producers that race: copyable, each copy used by one thread at a time. The first to settle wins; each copy is a
/// pin until it is gone or has tried to settle, and is empty afterwards. The last one gone with nobody having settled:
/// cancelled with the cause that was asked for, or abandoned.
///
/// Making one from a resolver allocates a block; copying is one atomic operation; settling claims, writes and publishes.
///
/// ```cpp
/// settle::shared_resolver<settle::plain<int>> a(std::move(r)), b(a);
/// // on two threads: a.complete(1), b.complete(2): one of them returns true
/// ```
template <class P>
class shared_resolver {
  using C = typename P::terminal;
  using cell = detail::cell<P>;
  using engine = detail::engine<C>;
  using access = detail::outcome_access;

 public:
  using T = typename P::value_type;  ///< what it settles with
  using E = typename P::error_type;  ///< what it fails with
  using stored = detail::lift<T>;    ///< T, or std::monostate for void
  static_assert(std::is_nothrow_move_constructible_v<stored>,
                "settle: the value of a shared_resolver must be nothrow move constructible: the winner writes it after it has won");

  shared_resolver() noexcept = default;
  /// Throws std::bad_alloc, the resolver untouched. Of an empty resolver: empty.
  explicit shared_resolver(resolver<P>&& r) {
    if (!r) return;
    cell& c = *r.cell_;
    void* at = c.allocate(sizeof(block), alignof(block));
    if (at == nullptr) detail::raise(std::bad_alloc());
    block_ = ::new (at) block{std::exchange(r.cell_, nullptr)};
  }
  /// One more producer. One atomic increment.
  shared_resolver(shared_resolver const& o) noexcept : block_(o.block_) {
    if (block_ != nullptr) block_->producers.fetch_add(1, std::memory_order_relaxed);
  }
  /// The source is empty afterwards.
  shared_resolver(shared_resolver&& o) noexcept : block_(std::exchange(o.block_, nullptr)) {}
  /// Copies or moves, as its argument was made; what it stood for before is let go, as by the destructor.
  shared_resolver& operator=(shared_resolver o) noexcept {
    std::swap(block_, o.block_);
    return *this;
  }
  ~shared_resolver() {
    if (block_ != nullptr) let_go(block_);
  }

  /// False once it has tried to settle, or was moved from.
  explicit operator bool() const noexcept { return block_ != nullptr; }
  /// A reference to the operation. Empty when this is.
  [[nodiscard]] basic_operation<C> op() const noexcept {
    return block_ == nullptr ? basic_operation<C>() : basic_operation<C>::of(*block_->state);
  }

  /// True to the one winner; false: somebody was first, and the argument is untouched. Never throws.
  bool complete(stored&& v) noexcept
    requires(!std::is_void_v<T>)
  {
    return attempt(detail::outcome_head::value, [&](cell& c) { ::new (static_cast<void*>(access::value(c.result))) stored(std::move(v)); });
  }
  /// The same for void.
  bool complete() noexcept
    requires(std::is_void_v<T>)
  {
    return attempt(detail::outcome_head::value, [](cell&) {});
  }
  /// Settles with an error. True to the one winner. Never throws.
  bool fail(E e) noexcept {
    return attempt(detail::outcome_head::failure, [&](cell& c) { ::new (static_cast<void*>(access::error(c.result))) E(std::move(e)); });
  }
  /// Acknowledges a request with the cause that was asked for (cause::requested when nobody did).
  bool cancel(std::source_location at = std::source_location::current()) noexcept {
    if (block_ == nullptr) return false;
    block& mine = *std::exchange(block_, nullptr);
    engine::request(*mine.state, cancellation(cause::requested, at));
    return settle(mine, detail::outcome_head::cancelled, [](cell&) {});
  }

 private:
  struct block {
    cell* state;
    typename C::sync::template atomic<std::uint32_t> producers{1};
  };

  template <class Write>
  bool attempt(detail::outcome_head::kind_t kind, Write write) noexcept {
    return block_ != nullptr && settle(*std::exchange(block_, nullptr), kind, write);
  }
  /// User code may run in here, and may use the resolver that had this share or destroy it: it is empty before.
  template <class Write>
  static bool settle(block& mine, detail::outcome_head::kind_t kind, Write write) noexcept {
    cell& c = *mine.state;
    bool const won = engine::claim(c);
    if (won) {
      write(c);
      c.add_hold();  // the sequence's; ours stands until the last producer is through
      engine::publish(c, kind);
    }
    let_go(&mine);
    return won;
  }

  static void let_go(block* b) noexcept {
    if (b->producers.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    cell& c = *b->state;
    std::destroy_at(b);
    c.deallocate(b, sizeof(block), alignof(block));
    engine::abandon(c, false);  // settled already: only gives the hold back
  }

  block* block_ = nullptr;
};

}  // namespace settle::inline v0

#endif
