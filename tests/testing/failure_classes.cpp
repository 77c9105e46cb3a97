// SPDX-License-Identifier: BSL-1.0
// A48: each failure class F1 to F19, put into a small program again, is caught by some seed; the program without it by none.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "small_world.hpp"

namespace {

using namespace test;

void generic_closer(world& w, bool wrong) {  // F1
  producer life(w.ex);
  kind const k = w.chance.one_in(3) ? kind::socket : kind::timer;
  int const id = wrong ? w.acquire(k) : w.own(life, k);
  if (wrong) life.on_cleanup([&w, id] { w.close(id, kind::timer); });  // most are timers
  life.complete();
  w.to_the_end();
}
void stop_is_not_close(world& w, bool wrong) {  // F2
  session(w, [&](settle::scope& all) {
    auto tick = [&w, wrong] {
      producer r(w.ex);
      int const id = wrong ? w.acquire(kind::timer) : w.own(r, kind::timer);
      return settle::finally(w.pause(), [&w, id, wrong, keep = std::make_shared<producer>(std::move(r))](settle::ending e) {
        if (wrong && e.kind == settle::ending::value) w.close(id, kind::timer);  // only when it fires
        keep->cancel();
      });
    };
    all.spawn(tick);
  });
}
void made_in_mid_life(world& w, bool wrong) {  // F3
  std::vector<int> listed{w.acquire(kind::timer)};
  session(w, [&](settle::scope& all) {
    auto first = [&w] { return w.pause(); };
    all.spawn(first).on_done([&w, wrong, &all](settle::ending e) {
      if (e.kind != settle::ending::value) return;
      if (wrong) return static_cast<void>(w.acquire(kind::timer));  // nobody put it on the list
      auto later = [&w] {
        producer r(w.ex);
        w.own(r, kind::timer);
        r.complete();
        return w.pause();
      };
      all.spawn(later);
    });
  });
  for (int const id : listed) w.close(id, kind::timer);
}
void in_progress(world& w, bool wrong) {  // F4
  std::vector<int> connected;
  session(w, [&](settle::scope& all) {
    for (int i = 0; i != 3; ++i) {
      int const id = w.acquire(kind::socket);
      auto dial = [&w] { return w.pause(); };
      all.spawn(dial).on_done([&w, &connected, id, wrong](settle::ending e) {
        if (e.kind == settle::ending::value) connected.push_back(id);
        else if (!wrong) w.close(id, kind::socket);
      });
    }
  });
  for (int const id : connected) w.close(id, kind::socket);
}
void failure_path(world& w, bool wrong) {  // F5
  producer r(w.ex);
  int const id = wrong ? w.acquire(kind::socket) : w.own(r, kind::socket);
  if (wrong)
    r.op().on_done([&w, id](settle::ending e) {
      if (e.kind == settle::ending::value) w.close(id, kind::socket);
    });
  r.op().on_done([](settle::ending) {});
  w.chance.one_in(2) ? r.fail(settle::errc::closed) : r.complete();
  w.to_the_end();
}
void container(world& w, bool wrong) {  // F6
  producer r(w.ex);
  int const outside = w.acquire(kind::buffer);
  r.on_cleanup([&w, outside, wrong] {
    if (!wrong) w.close(outside, kind::buffer);
  });
  w.own(r, kind::socket);
  r.complete();
  w.to_the_end();
}
void payload(world& w, bool wrong) {  // F7
  int const id = w.acquire(kind::buffer);
  auto h = w.pause();
  bool const stored = w.chance.one_in(2);
  std::move(h).on_done([&w, id, stored, wrong] {
    if (stored || !wrong) w.close(id, kind::buffer);  // "whoever stores it frees it"
  });
  w.to_the_end();
  if (wrong && w.chance.one_in(2)) w.close(id, kind::buffer);  // "the caller does"
}
void back_pointer(world& w, bool wrong) {  // F8
  producer owner(w.ex);
  int id = w.acquire(kind::socket);
  owner.on_cleanup([&] {
    if (id != 0) w.close(id, kind::socket);
  });
  w.pause().on_done([&] {
    if (wrong) id = 0;  // "it is closing"
  });
  w.for_a_while();
  owner.complete();
  w.to_the_end();
}
void two_paths(world& w, bool wrong) {  // F9
  int const id = w.acquire(kind::socket);
  bool stopping = false;
  session(w, [&](settle::scope& all) {
    auto run = [&w] { return w.pause(); };
    all.spawn(run).on_done([&, id](settle::ending e) {
      stopping = e.kind == settle::ending::cancelled;
      if (!stopping || !wrong) w.close(id, kind::socket);  // "the sweep does it when we stop"
    });
  });
}
void copied_cleanup(world& w, bool wrong) {  // F10
  producer r(w.ex);
  bool const over_udp = w.chance.one_in(2);
  int const id = w.own(r, kind::socket);
  int const buffer = w.acquire(kind::buffer);
  r.on_cleanup([&w, buffer, over_udp, wrong] {
    if (!over_udp || !wrong) w.close(buffer, kind::buffer);  // the copy for UDP was not kept up
  });
  w.use(id);
  r.complete();
  w.to_the_end();
}
void acquired_twice(world& w, bool wrong) {  // F11
  auto parse = [&] { return w.chance.one_in(2) ? w.acquire(kind::buffer) : 0; };
  int id = parse();
  if (wrong && id != 0) id = w.acquire(kind::buffer);  // asked whether it can, then did
  if (id != 0) w.close(id, kind::buffer);
}
void never_stopped(world& w, bool wrong) {  // F12
  auto h = std::make_shared<handle_of<void>>(w.pause());
  w.for_a_while();
  if (wrong) w.kept.push_back(h);
  else h->request_cancel();
}
void late_callback(world& w, bool wrong) {  // F13
  struct manager {
    producer life;
    int id;
    manager(world& of) : life(of.ex), id(of.own(life, kind::socket)) {}
  };
  auto m = std::make_unique<manager>(w);
  auto answer = [&w, id = m->id] { w.use(id); };
  if (wrong) w.pause().detach().on_done(answer);
  else w.pause().detach().on_done(settle::bound_to(m->life.op()), answer);
  w.for_a_while();
  m->life.complete();
  w.sim.run();
  m.reset();
  w.to_the_end();
}
void short_lived_buffer(world& w, bool wrong) {  // F14
  producer r(w.ex);
  int const id = w.own(r, kind::buffer);
  settle::pin in_flight = wrong ? settle::pin() : r.op().pin();
  auto write = w.pause();
  std::move(write).on_done([&w, id, p = std::move(in_flight)] { w.use(id); });
  w.for_a_while();
  r.cancel();
  w.to_the_end();
}
void wrong_pool(world& w, bool wrong) {  // F15
  kind const from = w.chance.one_in(2) ? kind::buffer : kind::socket;
  int const id = w.acquire(from);
  w.close(id, wrong ? kind::buffer : from);
}
void work_in_the_teardown(world& w, bool wrong) {  // F16
  session(w, [&](settle::scope& all) {
    auto connect = [&w] { return w.pause(); };
    all.spawn(connect).on_done([&w, &all, wrong] {  // a close handler that connects again
      if (wrong) return static_cast<void>(w.acquire(kind::socket));
      auto again = [&w] {
        producer r(w.ex);
        w.own(r, kind::socket);
        r.complete();
        return w.pause();
      };
      all.spawn(again);
    });
  });
}
void closing_twice(world& w, bool wrong) {  // F17
  producer r(w.ex);
  auto const op = r.op();
  int const id = wrong ? w.acquire(kind::socket) : w.own(r, kind::socket);
  bool const nested = w.chance.one_in(2);
  r.on_cancel([&, id, nested] {
    if (wrong) w.close(id, kind::socket);
    if (wrong && nested) w.close(id, kind::socket);  // from its own close callback
    op.cancel();
  });
  op.request_cancel();
  w.to_the_end();
}
void never_ends(world& w, bool wrong) {  // F18
  struct reading {
    producer r;
    int id;
    explicit reading(world& of) : r(of.ex), id(of.own(r, kind::socket)) {}
  };
  auto const armed = std::make_shared<reading>(w);
  reading& it = *armed;
  w.kept.push_back(armed);  // by the system
  if (!wrong) it.r.on_cancel([&it] { it.r.cancel(); });
  w.for_a_while();
  it.r.op().request_cancel();
  w.to_the_end();
}
void small_leak(world& w, bool wrong) {  // F19
  for (int i = 0; i != 10; ++i) {
    int const id = w.acquire(kind::socket);
    if (wrong && w.chance.one_in(100)) continue;  // "only now and then"
    w.close(id, kind::socket);
  }
}

constexpr program all_classes[] = {
    generic_closer, stop_is_not_close, made_in_mid_life, in_progress,   failure_path,  container,          payload,    back_pointer,
    two_paths,      copied_cleanup,    acquired_twice,   never_stopped, late_callback, short_lived_buffer, wrong_pool, work_in_the_teardown,
    closing_twice,  never_ends,        small_leak};
static_assert(std::size(all_classes) == 19);

TEST(A48_simulation, each_failure_class_is_caught_by_some_seed_and_without_it_nothing_is) { expect_caught(all_classes, "F"); }
TEST(A48_simulation, what_a_seed_has_caught_it_catches_again) { expect_caught_again(all_classes); }

}  // namespace
