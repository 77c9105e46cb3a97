// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_CORE_CONTRACT_HPP
#define SETTLE_BENCHMARKS_CORE_CONTRACT_HPP

#include <settle/settle.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <source_location>
#include <utility>

// An estimate, and no lower bound, of what the contract asks for beyond the bound. By hand again, for the three forms of W1 and for nothing
// else, with what a state has to keep, and somebody has to look at, so that other forms are possible: three lists, holds beside references,
// a lock in the word, cause and place of an ending, where it was made, whether it was seen, that this thread runs user code. The lists stay
// empty here, the callback stands in the state, and there is no code for anything that these forms do not come to.
namespace contract {

enum : std::uint32_t { locked = 1, settled = 2, attached = 4, given = 8, owned = 16, watched = 32, kept = 64 };
inline constexpr std::uint64_t ref = std::uint64_t{1} << 32, both = ref + 1;  // a hold comes with a reference

[[noreturn, gnu::cold, gnu::noinline]] inline void otherwise() { std::abort(); }

struct state {
  state* next = nullptr;
  std::uint8_t role = 0, slots_taken = 0, uplinks = 0;
  bool seen = false;
  std::atomic<std::uint32_t> word;
  std::atomic<std::uint64_t> counts;
  void (*listener)(state&) = nullptr;
  void* cleanups = nullptr;
  void* observers = nullptr;
  void* lasting = nullptr;
  std::source_location created;

  std::uint8_t kind = 0, why = 0, root = 0;
  std::source_location where{};
  int value;

  void (*call)(state&);
  alignas(void*) std::byte callback[3 * sizeof(void*)];

  state(std::uint32_t w, std::uint64_t c, std::source_location at) noexcept : word(w), counts(c), created(at) {}
  static state* make(std::uint32_t w, std::uint64_t c, std::source_location at) {
    void* const p = settle::recycling::try_allocate(sizeof(state), alignof(state));
    if (p == nullptr) throw std::bad_alloc();
    return ::new (p) state(w, c, at);
  }
  void destroy() noexcept {
    if (listener != nullptr) otherwise();
    settle::recycling::deallocate(this, sizeof(state), alignof(state));
  }

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
  std::uint32_t lock() noexcept {
    std::uint32_t w = word.load(std::memory_order_relaxed);
    if ((w & locked) != 0 || !word.compare_exchange_strong(w, w | locked, std::memory_order_acquire, std::memory_order_relaxed))
      otherwise();
    return w;
  }
  void attach(std::uint32_t with) noexcept {
    std::uint32_t const w = lock();
    if ((w & settled) != 0) otherwise();
    word.store(w | attached | with, std::memory_order_release);
  }

  /// The sequence, of one that is settled: the callback, unless this thread is in one; then what is left to be released.
  void run(std::uint32_t w) {
    static thread_local bool in_user_code = false;
    if (in_user_code || observers != nullptr) otherwise();
    in_user_code = true;
    seen = true;
    if ((w & attached) != 0) call(*this);
    in_user_code = false;
    if (cleanups != nullptr || slots_taken != 0 || lasting != nullptr || (word.load(std::memory_order_acquire) & (watched | kept)) != 0)
      otherwise();
  }
  void complete(int v) {
    value = v;
    std::uint64_t const c = counts.load(std::memory_order_acquire);
    std::uint32_t w = word.load(std::memory_order_acquire);
    if (c == both || (c == both + ref && (w & given) != 0)) {
      kind = 1;
      word.store(w | settled, std::memory_order_release);
      run(w);
      if (counts.load(std::memory_order_acquire) != c) otherwise();
      destroy();
    } else {
      w = lock();
      kind = 1;
      word.store(w | settled, std::memory_order_release);
      run(w);
      if (counts.fetch_sub(both, std::memory_order_acq_rel) == both) destroy();
    }
  }
  void drop() noexcept {
    if (counts.load(std::memory_order_acquire) == ref || counts.fetch_sub(ref, std::memory_order_acq_rel) == ref) destroy();
  }
};

class consumer {
 public:
  explicit consumer(state* s) noexcept : state_(s) {}
  consumer(consumer&&) = delete;
  ~consumer() {
    if (state_ != nullptr) state_->drop();
  }
  template <class F>
  void then(F f) const& {
    state_->keep(std::move(f));
    state_->attach(0);
  }
  template <class F>
  void then(F f) && {
    state* const s = std::exchange(state_, nullptr);
    s->keep(std::move(f));
    s->attach(given);
  }

 private:
  state* state_;
};

class producer {
 public:
  explicit producer(std::source_location at = std::source_location::current()) : state_(state::make(0, both, at)) {}
  template <class F>
  static producer with(F f, std::source_location at = std::source_location::current()) {
    producer p(attached, at);
    p.state_->keep(std::move(f));
    return p;
  }
  producer(producer&& o) noexcept : state_(std::exchange(o.state_, nullptr)) {}
  ~producer() {
    if (state_ != nullptr) otherwise();
  }
  consumer get_consumer() noexcept {
    if (state_->counts.load(std::memory_order_acquire) != both) otherwise();
    state_->word.store(owned, std::memory_order_relaxed);
    state_->counts.store(both + ref, std::memory_order_relaxed);
    return consumer(state_);
  }
  bool complete(int v) {
    state* const s = std::exchange(state_, nullptr);
    if (s == nullptr) return false;
    s->complete(v);
    return true;
  }

 private:
  producer(std::uint32_t w, std::source_location at) : state_(state::make(w, both, at)) {}
  state* state_;
};

}  // namespace contract

#endif
