// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_BOOKS_HPP
#define SETTLE_TESTS_BOOKS_HPP

#include <gtest/gtest.h>
#include <settle/policy/monitor.hpp>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the tests' policies write down: memory, operations, reports. After every test a listener looks whether it balances.
namespace test {

struct ledger {
  static inline std::atomic<long> blocks = 0;
  static inline std::atomic<long> bytes = 0;
  static inline std::atomic<long> made = 0;
  static inline std::atomic<long> until_dry = -1;  // this many allocations succeed yet; negative: all
  static inline std::atomic<bool> dry_once = false;
  static inline std::atomic<unsigned long> failures = 0;
};

/// Counts in the ledger, and runs dry when told to.
template <class T>
struct counting_allocator {
  using value_type = T;
  counting_allocator() noexcept = default;
  template <class U>
  counting_allocator(counting_allocator<U> const&) noexcept {}

  T* allocate(std::size_t n) const {
    if (ledger::until_dry >= 0 && ledger::until_dry.fetch_sub(1) <= 0) {
      ledger::until_dry = ledger::dry_once ? -1 : 0;
      ++ledger::failures;
      fail();
    }
    T* const p = std::allocator<T>().allocate(n);
    ++ledger::blocks;
    ++ledger::made;
    ledger::bytes += static_cast<long>(n * sizeof(T));
    return p;
  }
  void deallocate(T* p, std::size_t n) const noexcept {
    --ledger::blocks;
    ledger::bytes -= static_cast<long>(n * sizeof(T));
    std::memset(static_cast<void*>(p), 0xdd, n * sizeof(T));  // whoever looks at it afterwards finds nonsense
    std::allocator<T>().deallocate(p, n);
  }
  friend bool operator==(counting_allocator const&, counting_allocator const&) noexcept { return true; }

 private:
  [[noreturn]] static void fail() {
#if defined(__cpp_exceptions)
    throw std::bad_alloc();
#else
    std::terminate();
#endif
  }
};

/// The next `n` allocations succeed, then none does (or one does not), until this goes.
class dry_after {
 public:
  explicit dry_after(long n, bool once = false) noexcept {
    ledger::failures = 0;
    ledger::dry_once = once;
    ledger::until_dry = n;
  }
  dry_after(dry_after&&) = delete;
  ~dry_after() { ledger::until_dry = -1; }
  unsigned long failures() const noexcept { return ledger::failures; }
};

struct counting_monitor {
  static inline std::atomic<long> created = 0;
  static inline std::atomic<long> settled = 0;
  static inline std::atomic<long> released = 0;
  static inline std::atomic<long> destroyed = 0;

  static void on_event(settle::monitor_event const& e) noexcept {
    if (e.what == settle::monitor_event::created) ++created;
    if (e.what == settle::monitor_event::settled) ++settled;
    if (e.what == settle::monitor_event::released) ++released;
    if (e.what == settle::monitor_event::destroyed) ++destroyed;
  }
  static long live() noexcept { return created - destroyed; }
};

/// What an error sink was told. `said` is the exception's what().
struct report {
  settle::monitor_event::what_t what;
  settle::monitor_event::ending_t how;
  unsigned line;
  std::string said;
};

struct recording_sink {
  static void report(std::exception_ptr p, settle::monitor_event const& e) noexcept {
    std::scoped_lock lock(guard());
    reports().push_back({e.what, e.how, static_cast<unsigned>(e.where.line()), text(p)});
  }
  static std::vector<test::report> take() {
    std::scoped_lock lock(guard());
    return std::exchange(reports(), {});
  }
  /// How many reports of this kind stand; takes nothing.
  static std::size_t count(settle::monitor_event::what_t what) {
    std::scoped_lock lock(guard());
    std::size_t n = 0;
    for (auto const& r : reports()) n += r.what == what ? 1 : 0;
    return n;
  }

 private:
  static std::mutex& guard() {
    static std::mutex m;
    return m;
  }
  static std::vector<test::report>& reports() {
    static std::vector<test::report> r;
    return r;
  }
  static std::string text(std::exception_ptr const& p) {
    std::string said;
#if defined(__cpp_exceptions)
    try {
      if (p) std::rethrow_exception(p);
    } catch (std::exception const& x) {
      said = x.what();
    } catch (...) {
      said = "something";
    }
#else
    static_cast<void>(p);
#endif
    return said;
  }
};

inline void expect_balanced() {
  EXPECT_EQ(ledger::blocks, 0) << "memory of settle's is still out";
  EXPECT_EQ(ledger::bytes, 0);
  EXPECT_EQ(counting_monitor::created, counting_monitor::destroyed) << "operations live";
  EXPECT_EQ(counting_monitor::created, counting_monitor::settled);
  EXPECT_EQ(counting_monitor::created, counting_monitor::released);
}

/// Every test begins with empty books and ends with balanced ones. What user code threw, and lost executors, a test must
/// have taken note of.
class auditor : public testing::EmptyTestEventListener {
  void OnTestStart(testing::TestInfo const&) override { recording_sink::take(); }
  void OnTestEnd(testing::TestInfo const&) override {
    expect_balanced();
    for (auto const& r : recording_sink::take())
      EXPECT_TRUE(r.what == settle::monitor_event::abandoned || r.what == settle::monitor_event::unseen_failure)
          << "an unexpected report: " << static_cast<int>(r.what) << " " << r.said;
  }
};
inline bool const audited = (testing::UnitTest::GetInstance()->listeners().Append(new auditor), true);

}  // namespace test

#endif
