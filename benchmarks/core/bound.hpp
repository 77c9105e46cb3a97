// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_CORE_BOUND_HPP
#define SETTLE_BENCHMARKS_CORE_BOUND_HPP

#include <settle/settle.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

// What one would write by hand for just this: a value from a producer to one callback, exactly once, whoever comes first;
// two things to clean up. No errors, no cancelling, no executor, no second observer, no second moment, no nesting guard.
// The state comes from the same recycled storage as settle's, the callback lives in it, and whoever is alone with it uses
// plain loads and stores. It is what the work costs with nothing around it: nobody can be much faster.
namespace bound {

/// The word of one thread: as std::atomic, without being one.
class plain_word {
 public:
  explicit plain_word(std::uint32_t v) noexcept : value_(v) {}
  std::uint32_t load(std::memory_order) const noexcept { return value_; }
  std::uint32_t fetch_or(std::uint32_t v, std::memory_order) noexcept { return std::exchange(value_, value_ | v); }
  std::uint32_t fetch_add(std::uint32_t v, std::memory_order) noexcept { return std::exchange(value_, value_ + v); }
  std::uint32_t fetch_sub(std::uint32_t v, std::memory_order) noexcept { return std::exchange(value_, value_ - v); }

 private:
  std::uint32_t value_;
};
using atomic_word = std::atomic<std::uint32_t>;

/// State and count in one word.
inline constexpr std::uint32_t attached = 1, settled = 2, ref = 4;

template <class Word>
struct state {
  Word word;
  std::uint32_t cleanups = 0;
  void (*call)(state&);  // runs the callback and destroys it
  int value;
  alignas(void*) std::byte callback[3 * sizeof(void*)];
  struct {
    void (*run)(void*);
    alignas(void*) std::byte closure[sizeof(void*)];
  } slots[2];

  explicit state(std::uint32_t w) noexcept : word(w) {}

  static state* make(std::uint32_t w) {
    void* const p = settle::recycling::try_allocate(sizeof(state), alignof(state));
    if (p == nullptr) throw std::bad_alloc();
    return ::new (p) state(w);
  }
  void destroy() noexcept { settle::recycling::deallocate(this, sizeof(state), alignof(state)); }

  template <class F>
  void keep(F f) noexcept {
    static_assert(sizeof(F) <= sizeof(callback));
    ::new (static_cast<void*>(callback)) F(std::move(f));
    call = [](state& s) {
      F& there = *std::launder(reinterpret_cast<F*>(s.callback));
      there(s.value);
      std::destroy_at(&there);
    };
  }
  void finish() {
    call(*this);
    while (cleanups != 0) {
      --cleanups;
      slots[cleanups].run(slots[cleanups].closure);
    }
  }
  void drop() noexcept {
    if ((word.load(std::memory_order_acquire) & ~(ref - 1)) == ref || (word.fetch_sub(ref, std::memory_order_acq_rel) & ~(ref - 1)) == ref)
      destroy();
  }
};

template <class Word>
class consumer {
 public:
  explicit consumer(state<Word>* s) noexcept : state_(s) {}
  consumer(consumer&& o) noexcept : state_(std::exchange(o.state_, nullptr)) {}
  ~consumer() {
    if (state_ != nullptr) state_->drop();
  }

  template <class F>
  void then(F f) const& {
    state_->keep(std::move(f));
    if ((state_->word.fetch_or(attached, std::memory_order_acq_rel) & settled) != 0) state_->finish();
  }
  /// Attaches and lets go in one step.
  template <class F>
  void then(F f) && {
    state<Word>* const s = std::exchange(state_, nullptr);
    s->keep(std::move(f));
    std::uint32_t const before = s->word.fetch_add(attached - ref, std::memory_order_acq_rel);
    if ((before & settled) != 0) {
      s->finish();
      s->destroy();
    }
  }

 private:
  state<Word>* state_;
};

template <class Word>
class producer {
 public:
  /// With both ends.
  producer() : state_(state<Word>::make(ref)) {}
  /// With the callback from the start.
  template <class F>
  static producer with(F f) {
    producer p(state<Word>::make(ref | attached));
    p.state_->keep(std::move(f));
    return p;
  }
  producer(producer&& o) noexcept : state_(std::exchange(o.state_, nullptr)) {}
  ~producer() {
    if (state_ != nullptr) state_->drop();
  }

  /// Nobody else has seen the state yet.
  consumer<Word> get_consumer() noexcept {
    std::destroy_at(&state_->word);
    std::construct_at(&state_->word, 2 * ref);
    return consumer<Word>(state_);
  }
  template <class F>
  void on_cleanup(F f) noexcept {
    auto& slot = state_->slots[state_->cleanups++];
    static_assert(sizeof(F) <= sizeof(slot.closure));
    ::new (static_cast<void*>(slot.closure)) F(std::move(f));
    slot.run = [](void* at) {
      F& there = *static_cast<F*>(at);
      there();
      std::destroy_at(&there);
    };
  }

  bool complete(int v) {
    state<Word>* const s = std::exchange(state_, nullptr);
    if (s == nullptr) return false;
    s->value = v;
    if (s->word.load(std::memory_order_acquire) == (ref | attached)) {
      s->finish();
      s->destroy();
      return true;
    }
    std::uint32_t const before = s->word.fetch_or(settled, std::memory_order_acq_rel);
    if ((before & attached) != 0) s->finish();
    s->drop();
    return (before & settled) == 0;
  }

 private:
  explicit producer(state<Word>* s) noexcept : state_(s) {}
  state<Word>* state_;
};

}  // namespace bound

#endif
