// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_COMBINE_BOUND_HPP
#define SETTLE_BENCHMARKS_COMBINE_BOUND_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "core/bound.hpp"

// What one would write by hand for just a chain, a group that waits for all, a race, a tree that is cancelled: exactly once,
// whoever comes first, one block for each operation (or one for all of them, where that is said) from recycled storage. No
// errors, no executor, no second moment, no observers beside.
namespace bound {

inline void* block(std::size_t bytes) {
  void* const p = settle::recycling::try_allocate(bytes, alignof(std::max_align_t));
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
inline void free_block(void* p, std::size_t bytes) noexcept { settle::recycling::deallocate(p, bytes, alignof(std::max_align_t)); }

/// One link of a chain: the value goes from link to link in a loop, so that no length overflows the stack. One
/// read-modify-write to attach, for the producer may be another thread; the rest is alone with its link.
template <class Word>
struct link {
  Word word;
  int value;
  int (*step)(link&);
  link* next = nullptr;
  alignas(void*) std::byte function[2 * sizeof(void*)];

  static link* make(std::uint32_t w) { return ::new (block(sizeof(link))) link(w); }
  explicit link(std::uint32_t w) noexcept : word(w) {}

  /// What comes after `at`. Takes over the consumer's reference.
  template <class F>
  static link* then(link* at, F f) {
    static_assert(sizeof(F) <= sizeof(function));
    link* const after = make(2 * ref);
    ::new (static_cast<void*>(at->function)) F(std::move(f));
    at->step = [](link& l) {
      F& there = *std::launder(reinterpret_cast<F*>(l.function));
      int const made = there(l.value);
      std::destroy_at(&there);
      return made;
    };
    at->next = after;
    if ((at->word.fetch_add(attached - ref, std::memory_order_acq_rel) & settled) != 0) run(at);
    return after;
  }
  static void complete(link* l, int v) {
    l->value = v;
    if (l->word.load(std::memory_order_acquire) == (ref | attached)) return run(l);
    std::uint32_t const before = l->word.fetch_add(settled - ref, std::memory_order_acq_rel);
    if ((before & attached) != 0) run(l);
  }

 private:
  static void run(link* l) {
    for (;;) {
      int const v = l->step(*l);
      link* const next = l->next;
      free_block(l, sizeof(link));
      if (next == nullptr) return;
      next->value = v;
      if (next->word.load(std::memory_order_acquire) != (ref | attached) &&
          (next->word.fetch_add(settled - ref, std::memory_order_acq_rel) & attached) == 0)
        return;
      l = next;
    }
  }

 public:
  /// The end of the chain. Takes over the consumer's reference.
  template <class F>
  static void last(link* at, F f) {
    static_assert(sizeof(F) <= sizeof(function));
    ::new (static_cast<void*>(at->function)) F(std::move(f));
    at->step = [](link& l) {
      F& there = *std::launder(reinterpret_cast<F*>(l.function));
      there(l.value);
      std::destroy_at(&there);
      return 0;
    };
    if ((at->word.fetch_add(attached - ref, std::memory_order_acq_rel) & settled) != 0) run(at);
  }
};

/// The children of a group in its block: a producer is a pointer to its place. One read-modify-write claims a place, another
/// one counts it.
template <class Word>
struct group {
  struct place {
    Word word{0};
    int value;
  };

  Word missing;
  std::uint32_t size;
  long* total;
  std::uint32_t winner = 0;

  static std::size_t bytes(std::uint32_t n) noexcept { return sizeof(group) + n * sizeof(place); }
  static group* make(std::uint32_t n, long* total) {
    auto* const g = ::new (block(bytes(n))) group(n, total);
    for (std::uint32_t i = 0; i != n; ++i) ::new (static_cast<void*>(g->places() + i)) place;
    return g;
  }
  group(std::uint32_t n, long* to) noexcept : missing(n), size(n), total(to) {}
  place* places() noexcept { return reinterpret_cast<place*>(this + 1); }

  static bool is_last(group* g, std::uint32_t n) noexcept { return g->missing.fetch_sub(n, std::memory_order_acq_rel) == n; }

  /// All: the last one sees all values.
  static bool complete(group* g, std::uint32_t i, int v) noexcept {
    place& p = g->places()[i];
    p.value = v;
    if (p.word.fetch_or(settled, std::memory_order_acq_rel) != 0) return false;
    if (is_last(g, 1)) {
      for (std::uint32_t k = 0; k != g->size; ++k) *g->total += g->places()[k].value;
      free_block(g, bytes(g->size));
    }
    return true;
  }
  /// Race: the first one claims the others, and counts them all at once.
  static bool win(group* g, std::uint32_t i, int v) noexcept {
    place& p = g->places()[i];
    p.value = v;
    if (p.word.fetch_or(settled, std::memory_order_acq_rel) != 0) return false;
    std::uint32_t gone = 1;
    for (std::uint32_t k = 0; k != g->size; ++k)
      if (k != i && g->places()[k].word.fetch_or(settled, std::memory_order_acq_rel) == 0) ++gone;
    *g->total += v;
    static_cast<void>(g->missing.fetch_sub(gone, std::memory_order_acq_rel));
    return true;
  }
  /// A producer goes. True: it had lost, and knows.
  static bool lost(group* g, std::uint32_t i) noexcept { return g->places()[i].word.load(std::memory_order_acquire) != 0; }
  static void end(group* g) noexcept { free_block(g, bytes(g->size)); }
};

/// An operation of a tree that knows cancelling only: a block of its own, linked to its siblings.
template <class Word>
struct member {
  Word word{0};
  member* sibling;
  member* first = nullptr;

  explicit member(member* next) noexcept : sibling(next) {}
  static member* make(member* parent) {
    auto* const m = ::new (block(sizeof(member))) member(parent == nullptr ? nullptr : parent->first);
    if (parent != nullptr) parent->first = m;
    return m;
  }
  /// Everything below, in a loop: one read-modify-write for each.
  static std::size_t cancel(member* root) noexcept {
    std::size_t claimed = root->word.fetch_or(settled, std::memory_order_acq_rel) == 0 ? 1 : 0;
    for (member* m = root->first; m != nullptr; m = m->sibling)
      if (m->word.fetch_or(settled, std::memory_order_acq_rel) == 0) ++claimed;
    return claimed;
  }
  static void end(member* root) noexcept {
    for (member* m = root->first; m != nullptr;) free_block(std::exchange(m, m->sibling), sizeof(member));
    free_block(root, sizeof(member));
  }
};

}  // namespace bound

#endif
