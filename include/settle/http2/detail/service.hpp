// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_SERVICE_HPP
#define SETTLE_HTTP2_DETAIL_SERVICE_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "../../lockfree/arena_pool.hpp"
#include "../counters.hpp"
#include "../options.hpp"
#include "loop_executor.hpp"
#include "nghttp2_compat.hpp"

namespace settle::inline v0::http2::detail {

struct stream;

/// A handler without its type: called with a request that is whole, on the server's executor, outside of nghttp2.
class any_handler {
 public:
  any_handler() = default;
  any_handler(any_handler const&) = delete;
  any_handler& operator=(any_handler const&) = delete;
  virtual ~any_handler() = default;
  virtual void call(stream& s) noexcept = 0;
};

/// The counters behind http2::counters: written on the executor, read from any thread.
struct tally {
  std::atomic<std::uint64_t> requests{0}, completed{0}, failed{0}, cancelled{0}, refused{0};
  std::atomic<std::size_t> live{0}, connections{0};

  template <class N>
  static void add(std::atomic<N>& a, N n = 1) noexcept {
    a.store(a.load(std::memory_order_relaxed) + n, std::memory_order_release);
  }
  counters snapshot() const noexcept {
    auto const get = [](auto const& a) { return a.load(std::memory_order_acquire); };
    return {get(requests), get(completed), get(failed), get(cancelled), get(refused), get(live), get(connections)};
  }
};

/// What the connections of one server share. Everything but the tally is touched on the executor only.
/// Lives as long as a request does: an arena that is out keeps its pool.
class service : public std::enable_shared_from_this<service> {
 public:
  service(loop_executor ex, options const& o) : executor(std::move(ex)), limits(o), arenas(o.arenas, o.arena_bytes), input(65536) {}
  service(service const&) = delete;
  service& operator=(service const&) = delete;

  /// A request came into being, or was released.
  void request_taken() {
    if (!kept_) kept_ = shared_from_this();
    tally::add(counts.live);
  }
  void request_given_back() noexcept {
    tally::add(counts.live, ~std::size_t{0});
    if (counts.live.load(std::memory_order_relaxed) != 0) return;
    auto const last = std::move(kept_);
    idle();
  }

  loop_executor executor;
  options const limits;
  arena_pool arenas;
  tally counts;
  std::unique_ptr<any_handler> handler;
  callbacks_ptr callbacks;  // the same for every session
  option_ptr option;
  std::vector<std::uint8_t> input, output;  // one block each for all connections: nobody keeps what is in them
  std::vector<nghttp2_nv> head;
  std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now();  // coarse: as of the last tick
  bool stopped = false;

 protected:
  virtual ~service() = default;
  virtual void idle() noexcept = 0;

 private:
  std::shared_ptr<service> kept_;
};

}  // namespace settle::inline v0::http2::detail

#endif
