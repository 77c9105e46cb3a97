// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_FIBER_HPP
#define SETTLE_TESTING_WEAVE_FIBER_HPP

#include <cxxabi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include "../../detail/exceptions.hpp"
#include "context.hpp"
#include "sanitizers.hpp"

/// Part of the Itanium C++ ABI (2.2.2); not every library's <cxxabi.h> declares it.
namespace __cxxabiv1 {  // NOLINT(bugprone-reserved-identifier)
struct __cxa_eh_globals;
extern "C" __cxa_eh_globals* __cxa_get_globals() noexcept;  // NOLINT(readability-redundant-declaration)
}  // namespace __cxxabiv1

namespace settle::inline v0::testing::weave {

/// Memory for a stack, with a page below it that nobody may touch.
class stack_memory {
 public:
  explicit stack_memory(std::size_t bytes) {
    auto const page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    size_ = (bytes + page - 1) / page * page + page;
    base_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base_ == MAP_FAILED) detail::raise(std::bad_alloc());
    guard_ = page;
    mprotect(base_, guard_, PROT_NONE);
  }
  stack_memory(stack_memory&&) = delete;
  ~stack_memory() { munmap(base_, size_); }

  void* bottom() const noexcept { return static_cast<std::byte*>(base_) + guard_; }
  std::size_t size() const noexcept { return size_ - guard_; }

 private:
  void* base_;
  std::size_t size_;
  std::size_t guard_;
};

/// A stack of its own that runs until it switches to another one. All fibers of an exploration run on one thread.
/// Each has its own caught exceptions: the C++ library keeps them for each thread, and two fibers inside of catch blocks would
/// swap them.
template <class Context = machine_context>
class basic_fiber {
 public:
  static constexpr std::size_t stack_bytes = std::size_t{256} * 1024;

  /// The stack of the thread that calls.
  basic_fiber() noexcept { sanitizer_adopt_this_thread(sanitizer_); }
  /// One that is to be started.
  explicit basic_fiber(std::in_place_t) : stack_(new stack_memory(stack_bytes)) {
    sanitizer_create(sanitizer_);
    sanitizer_.bottom = stack_->bottom();
    sanitizer_.size = stack_->size();
  }
  basic_fiber(basic_fiber&&) = delete;
  ~basic_fiber() {
    if (stack_ == nullptr) return;
    sanitizer_destroy(sanitizer_);
    delete stack_;
  }

  /// The next switch to it calls `entry(argument)`, which must not return. What stood on its stack is forgotten.
  void start(void (*entry)(void*), void* argument) noexcept {
    unpoison(stack_->bottom(), stack_->size());
    sanitizer_renew(sanitizer_);
    caught_ = {};
    entry_ = entry;
    argument_ = argument;
    context_.prepare(stack_->bottom(), stack_->size(), &basic_fiber::begin);
  }

  static void switch_to(basic_fiber& from, basic_fiber& to) noexcept {
    auto* const caught = reinterpret_cast<exceptions*>(__cxxabiv1::__cxa_get_globals());
    from.caught_ = *caught;
    *caught = to.caught_;
    leaving() = &from;
    arriving() = &to;
    sanitizer_leave(from.sanitizer_, to.sanitizer_);
    Context::swap(from.context_, to.context_);
    sanitizer_arrive(from.sanitizer_, leaving()->sanitizer_);
  }

 private:
  /// What abi::__cxa_eh_globals is: the caught exceptions, and how many are on their way.
  struct exceptions {
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };

  static void begin() {
    basic_fiber& self = *arriving();
    sanitizer_arrive(self.sanitizer_, leaving()->sanitizer_);
    self.entry_(self.argument_);
    std::terminate();
  }
  static basic_fiber*& leaving() noexcept {
    static thread_local basic_fiber* f = nullptr;
    return f;
  }
  static basic_fiber*& arriving() noexcept {
    static thread_local basic_fiber* f = nullptr;
    return f;
  }

  Context context_;
  stack_memory* stack_ = nullptr;
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
  exceptions caught_;
  sanitizer_fiber sanitizer_;
};

using fiber = basic_fiber<>;

}  // namespace settle::inline v0::testing::weave

#endif
