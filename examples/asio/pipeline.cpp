// SPDX-License-Identifier: BSL-1.0
// A pipeline of coroutines over channels: one reads, four compress, one writes. When a stage fails the others are cancelled, and
// all are joined before the channels between them go.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <asio/experimental/concurrent_channel.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace {

using namespace std::chrono_literals;
using settle::handle_of, settle::use_handle;
using chunk = std::string;
using channel = asio::experimental::concurrent_channel<void(asio::error_code, chunk)>;

// A file that takes its time; it holds `room` bytes.
class file {
 public:
  file(asio::any_io_executor ex, std::size_t chunks, std::size_t room) : ex_(std::move(ex)), left_(chunks), room_(room) {}

  handle_of<std::optional<chunk>> read() { return read_from(ex_, this); }
  handle_of<void> write(chunk c) { return write_to(ex_, this, std::move(c)); }
  std::size_t size() const { return size_; }

 private:
  static handle_of<std::optional<chunk>> read_from(asio::any_io_executor ex, file* self) {
    co_await settle::sleep(ex, 0ms);
    if (self->left_ == 0) co_return std::nullopt;
    --self->left_;
    co_return chunk(1000, 'a');
  }
  static handle_of<void> write_to(asio::any_io_executor ex, file* self, chunk c) {
    co_await settle::sleep(ex, 0ms);
    if (self->size_ + c.size() > self->room_) throw std::system_error(std::make_error_code(std::errc::no_space_on_device));
    self->size_ += c.size();
  }

  asio::any_io_executor ex_;
  std::size_t left_;
  std::size_t room_;
  std::size_t size_ = 0;
};

bool closed(settle::error const& e) { return e == asio::experimental::error::channel_closed; }
chunk deflate(chunk const& c) { return c.substr(0, c.size() / 10); }

handle_of<void> read(file& in, channel& out) {
  while (auto c = co_await in.read()) co_await out.async_send(asio::error_code(), std::move(*c), use_handle);
  out.close();
}
handle_of<void> compress(channel& in, channel& out) {
  for (;;) {
    auto c = co_await in.async_receive(use_handle).as_outcome();
    if (c.has_error() && closed(c.error())) co_return;
    chunk small = deflate(std::move(c).value());  // value(): a cancellation ends us here
    co_await out.async_send(asio::error_code(), std::move(small), use_handle);
  }
}
handle_of<void> write(channel& in, file& out) {
  for (;;) {
    auto c = co_await in.async_receive(use_handle).as_outcome();
    if (c.has_error() && closed(c.error())) co_return;
    co_await out.write(std::move(c).value());
  }
}

handle_of<void> pipeline(asio::any_io_executor ex, file& from, file& to) {
  channel raw(ex, 8);
  channel packed(ex, 8);  // locals that six stages refer to
  auto packers = [&](settle::scope& s) {
    for (int i = 0; i < 4; ++i) s.spawn([&] { return compress(raw, packed); });
  };
  auto stages = [&](settle::scope& s) -> handle_of<void> {  // a failing stage cancels the others
    s.spawn([&] { return write(packed, to); });
    s.spawn([&] { return read(from, raw); });
    co_await settle::with_scope(packers);  // all four are done: nothing more will be sent
    packed.close();
  };
  co_await settle::with_scope(stages);  // joined on every path: only then do raw and packed go
}

void run(char const* what, std::size_t room) {
  asio::io_context io;
  file from(io.get_executor(), 100, 0);
  file to(io.get_executor(), 0, room);
  auto done = pipeline(io.get_executor(), from, to);
  io.run();
  auto const out = std::move(done).wait();
  std::printf("%s: %zu bytes, %s\n", what, to.size(), out ? "done" : out.error().code().message().c_str());
}

}  // namespace

int main() {
  run("a large disk", 1'000'000);
  run("a small disk", 2'050);
}
