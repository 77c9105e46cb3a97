// SPDX-License-Identifier: BSL-1.0
// Embedded: one thread, no exceptions, no heap. Built with -fno-exceptions -fno-rtti; operator new ends the program.
#include <settle/settle.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

void* operator new(std::size_t) { std::abort(); }
void* operator new(std::size_t, std::align_val_t) { std::abort(); }
void operator delete(void*) noexcept {}
void operator delete(void*, std::size_t) noexcept {}
void operator delete(void*, std::align_val_t) noexcept {}
void operator delete(void*, std::size_t, std::align_val_t) noexcept {}

namespace {

struct frame {
  std::array<unsigned char, 8> bytes{};
};

// The hardware: a DMA engine that fills a buffer and raises a flag from its interrupt.
namespace radio_hw {
frame* target = nullptr;
bool done = false;
int code = 0;

void arm(frame* into) { target = into; }
void stop() {
  std::puts("  the radio stops");
  target = nullptr;
}
void receives(unsigned char first, int error = 0) {
  if (target != nullptr) target->bytes.fill(first);
  code = error;
  done = true;
}
bool rx_done() { return std::exchange(done, false); }
int error() { return std::exchange(code, 0); }
frame take() { return *std::exchange(target, nullptr); }
}  // namespace radio_hw

struct radio : settle::default_policy {
  using value_type = frame;
  using error_type = std::error_code;
  using terminal = settle::unsynchronized_terminal;
  using cleanup = settle::fixed_cleanup<2>;
  using allocator_type = settle::static_pool<8, 640, settle::single_thread_sync>;  // states, hooks and coroutine frames
  using error_sink = settle::ignore_sink;
  static constexpr auto on_error = settle::await_error::propagates;  // co_await of a failure: this coroutine fails too
  static std::error_code make_error(settle::errc e) noexcept { return settle::make_error_code(e); }
};
using pool = radio::allocator_type;

std::optional<settle::resolver<radio>> current;  // at most one frame in flight

settle::handle<radio> receive() noexcept {
  current.emplace(std::nothrow);
  if (!*current) return {};  // an empty handle reads as failed(no_memory), everywhere
  auto h = current->get_handle();
  frame* into = current->try_own<frame>();  // null: both cleanup slots taken, nothing acquired
  if (into == nullptr) {
    current->fail(settle::make_error_code(settle::errc::no_memory));
    current.reset();
    return h;
  }
  radio_hw::arm(into);
  current->on_cancel([] {
    radio_hw::stop();
    current.reset();  // the DMA has stopped: give the producer's pin back
  });
  return h;
}

// The main loop's; the ISR only sets the flag that rx_done() reads.
void poll() noexcept {
  if (!current || !radio_hw::rx_done()) return;
  if (int const e = radio_hw::error(); e != 0) current->fail(std::error_code(e, std::generic_category()));
  else current->complete(radio_hw::take());
  current.reset();
}

settle::handle<radio> receive_with_crc() {
  frame f = co_await receive();  // no try, no throw; frame memory from static_pool
  f.bytes[7] = static_cast<unsigned char>(7 * f.bytes[0]);
  co_return f;
}

void say(char const* what, settle::handle<radio>& h) {
  if (!h.is_settled()) {
    std::printf("%s: pending, %zu blocks in use\n", what, pool::in_use());
    return;
  }
  std::move(h).wait().visit([&](frame const& f) { std::printf("%s: %u ... %u\n", what, f.bytes[0], f.bytes[7]); },
                            [&](std::error_code const& e) { std::printf("%s: %s %d\n", what, e.category().name(), e.value()); },
                            [&](settle::cancellation const&) { std::printf("%s: cancelled\n", what); });
}

}  // namespace

int main() {
  auto h = receive();
  say("receive", h);
  radio_hw::receives(3);
  poll();
  say("receive", h);

  h = receive();
  radio_hw::receives(0, EIO);
  poll();
  say("bad reception", h);

  h = receive();
  h.cancel();  // the DMA is stopped before its buffer goes
  say("given up", h);
  {
    auto dropped = receive();
  }

  h = receive_with_crc();
  h.on_done([] {});  // it has an owner: it starts
  radio_hw::receives(5);
  poll();
  say("with crc", h);
  h = receive_with_crc();
  h.on_done([] {});
  radio_hw::receives(0, EIO);
  poll();
  say("with crc, bad reception", h);

  {
    std::array<settle::resolver<radio>, 8> others{settle::resolver<radio>(std::nothrow), settle::resolver<radio>(std::nothrow),
                                                  settle::resolver<radio>(std::nothrow), settle::resolver<radio>(std::nothrow),
                                                  settle::resolver<radio>(std::nothrow), settle::resolver<radio>(std::nothrow),
                                                  settle::resolver<radio>(std::nothrow), settle::resolver<radio>(std::nothrow)};
    h = receive();
    say("with the pool full", h);
    h = receive_with_crc();
    say("its coroutine", h);
  }
  std::printf("in use at the end: %zu\n", pool::in_use());
}
