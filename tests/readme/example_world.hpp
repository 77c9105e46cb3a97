// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_README_EXAMPLE_WORLD_HPP
#define SETTLE_TESTS_README_EXAMPLE_WORLD_HPP

// What the examples in the comments of the headers take for granted: the program around them. Declared only, nothing is run.
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>
#include <settle/testing/weave.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <memory_resource>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

namespace world {

using namespace std::chrono_literals;
namespace weave = settle::testing::weave;

struct loop_executor {
  template <class F>
  void execute(F f) const {
    f();
  }
  settle::timer_wheel& timers() const noexcept;
  bool operator==(loop_executor const&) const = default;
};
struct my_context {
  loop_executor get_executor() const;
};
struct lease {
  settle::handle_of<int> query();
};
struct my_pool {
  void submit(std::function<void()>);
  settle::handle_of<lease> acquire();
  void give(lease);
};
struct node_queue {
  void push_back(settle::work_node&) noexcept;
};
struct run_loop {
  node_queue queue;
};
struct image {};
struct frame {};
struct buffer {};
struct my_socket {
  void close();
};
struct my_session {
  settle::operation op() const;
  void show(settle::outcome<int> const&);
};
struct page {};
struct my_connection {
  settle::handle_of<void> say_goodbye();
  settle::handle_of<page> get();
};
struct address {};
struct my_cache {
  page const* find(address);
};
struct pipe {
  void shut();
  bool read_into(pipe&);
};
struct read : settle::default_policy {
  using value_type = int;
};

using int_handle = settle::handle_of<int>;
using int_resolver = settle::resolver_of<int>;

extern settle::operation op;
extern settle::timer_done done;
extern settle::testing::simulation sim;
extern int_handle h;
extern int_resolver r;
extern my_context io;
extern loop_executor loop;
extern loop_executor workers;
extern my_pool pool;
extern my_socket socket;
extern my_session session;
extern my_connection connection;
extern int_handle copy;
extern int_handle stop_signal;
extern my_cache cache;
extern image in;
extern address a, b, primary, mirror, key, host, url, temporary;
extern std::vector<address> mirrors;
extern loop_executor ex;
extern std::chrono::seconds limit;
extern bool closed, limited;
inline constexpr std::errc refused = std::errc::connection_refused;
extern int fd;

void use(auto const&) {}
void log(settle::error const&);
void retry();
void step();
void show();
settle::handle_of<int> fetch();
settle::handle_of<page> fetch(address);
settle::handle_of<page> ask(address);
settle::handle_of<page> cached(address);
settle::handle_of<page> load(address);
settle::handle_of<page> next_request();
settle::handle_of<my_connection> connect(address);
settle::handle_of<my_connection> dial(address);
settle::handle_of<void> close(address);
settle::handle_of<void> remove(address);
settle::handle_of<void> work();
settle::handle_of<int> open_descriptor();
int compute();
image scale(image const&, std::stop_token const&);
void c_read(int fd, void (*f)(void*, int), void* user);
void on_read(void* user, int n);

}  // namespace world

#endif
