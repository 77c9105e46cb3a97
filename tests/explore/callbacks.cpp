// SPDX-License-Identifier: BSL-1.0
// done_callback and cancel_callback under every interleaving: an owner that goes while the operation ends. Afterwards
// nobody touches the hook, and what it did happened before.
#include <settle/settle.hpp>
#include <settle/testing/weave.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace {

namespace weave = settle::testing::weave;
using C = weave::cas_terminal;

/// What a callback touches; its owner touches it, too, once the callback is gone.
struct object {
  weave::plain<int> touched = 0;  // a race on it is an error
  int ran = 0;
  weave::atomic<int> end = 0;  // the owner's last step, after what it did to `touched`
  bool left = false;
  bool late = false;
  void touch() {
    touched = touched + 1;
    ++ran;
    late = late || left;
  }
};
struct touching {
  object* o;
  void operator()() const { o->touch(); }
};
using done_callback = settle::done_callback<touching, C>;
using cancel_callback = settle::cancel_callback<touching, C>;

template <class Ex>
struct stage {
  settle::resolver_of<int, settle::error, Ex, C> r;
  settle::handle_of<int, settle::error, C> h;
  object o;
  std::optional<cancel_callback> cancelled;
  std::optional<done_callback> done;

  explicit stage(Ex ex) : r(std::move(ex)), h(r.get_handle()) {}
  void leave() {
    cancelled.reset();
    done.reset();
    o.touched = 100;
    o.left = true;
    o.end.store(1);
  }
};

template <class Ex>
void check(weave::world& w, std::shared_ptr<stage<Ex>> s, int most) {
  w.finally([=, &w] {
    {
      auto const gone = std::move(s->h);
    }
    {
      auto const gone = std::move(s->r);
    }
    w.expect(!s->o.late, "nobody touched it afterwards");
    w.expect(s->o.ran <= most, "each ran once at most");
  });
}

template <class Test>
void clean_and_exhausted(Test test, weave::options const& o = {}) {
  auto const r = weave::explore(test, o);
  EXPECT_TRUE(r.clean) << r.text();
  EXPECT_TRUE(r.exhausted) << r.text();
}

TEST(explore_callbacks, a_cancel_callback_against_a_request) {
  clean_and_exhausted([](weave::world& w) {
    auto s = std::make_shared<stage<settle::inline_executor>>(settle::inline_executor());
    s->cancelled.emplace(s->h, touching{&s->o});
    w.thread("owner", [=] { s->leave(); });
    w.thread("asker", [=] { s->h.request_cancel(); });
    check(w, s, 1);
  });
}

TEST(explore_callbacks, a_done_callback_against_completion) {
  clean_and_exhausted([](weave::world& w) {
    auto s = std::make_shared<stage<settle::inline_executor>>(settle::inline_executor());
    s->done.emplace(s->h, touching{&s->o});
    w.thread("owner", [=] { s->leave(); });
    w.thread("producer", [=] { s->r.complete(1); });
    check(w, s, 1);
  });
}

// The request's errand waits in an executor, or runs there.
TEST(explore_callbacks, against_an_errand_on_an_executor) {
  clean_and_exhausted([](weave::world& w) {
    auto s = std::make_shared<stage<weave::executor>>(w.get_executor());
    s->cancelled.emplace(s->h, touching{&s->o});
    s->h.request_cancel();
    w.thread("owner", [=] { s->leave(); });
    check(w, s, 1);
  });
}

// The operation ends while the errand waits or runs: whoever comes second hands the sequence on.
TEST(explore_callbacks, an_errand_against_the_end) {
  clean_and_exhausted(
      [](weave::world& w) {
        auto s = std::make_shared<stage<weave::executor>>(w.get_executor());
        s->cancelled.emplace(s->h, touching{&s->o});
        s->h.request_cancel();
        w.thread("producer", [=] { s->r.complete(1); });
        w.finally([=, &w] { w.expect(s->h.is_released() && s->o.ran == 1, "both have run"); });
      },
      {.preemptions = 2});
}

// Another hook stands in the executor's queue for one that came late.
TEST(explore_callbacks, against_a_late_call) {
  clean_and_exhausted(
      [](weave::world& w) {
        auto s = std::make_shared<stage<weave::executor>>(w.get_executor());
        s->h.cancel();
        s->cancelled.emplace(s->h, touching{&s->o});
        w.thread("owner", [=] { s->leave(); });
        check(w, s, 1);
      },
      {.preemptions = 2});
}

TEST(explore_callbacks, coming_and_going_against_force) {
  clean_and_exhausted(
      [](weave::world& w) {
        auto s = std::make_shared<stage<settle::inline_executor>>(settle::inline_executor());
        w.thread("owner", [=] {
          s->cancelled.emplace(s->h, touching{&s->o});
          s->leave();
        });
        w.thread("forcer", [=] { s->h.cancel(); });
        check(w, s, 1);
      },
      {.preemptions = 1});
}

/// Notes what it hears too late. It takes a moment to hear: others go on meanwhile.
struct attentive {
  weave::atomic<int> moment = 0;
  bool released = false;
  bool late = false;
  static inline attentive* now = nullptr;
  static void on_event(settle::monitor_event const& e) noexcept {
    if (e.what == settle::monitor_event::released) now->released = true;
    if (e.what != settle::monitor_event::settled) return;
    now->moment.load();
    now->late = now->released;
  }
};
template <class Ex>
struct monitored : settle::plain<int, settle::error, Ex, C> {
  using monitor = attentive;
};
template <class Ex>
struct monitored_stage {
  attentive heard;
  settle::resolver<monitored<Ex>> r;
  settle::handle_of<int, settle::error, C> h;
  explicit monitored_stage(Ex ex) : r((attentive::now = &heard, std::move(ex))), h(r.get_handle()) {}
};

// Another thread walks for a request when the operation ends, and goes on with the end.
TEST(explore_callbacks, a_monitor_hears_of_the_end_before_the_release_that_another_thread_runs) {
  clean_and_exhausted(
      [](weave::world& w) {
        auto s = std::make_shared<monitored_stage<settle::inline_executor>>(settle::inline_executor());
        s->h.on_cancel([] {});
        w.thread("asker", [=] { s->h.request_cancel(); });
        w.thread("producer", [=] { s->r.complete(1); });
        w.finally([=, &w] { w.expect(s->heard.released && !s->heard.late, "settled comes before released"); });
      },
      {.preemptions = 2});
}

// The request's errand runs, and goes on with the end.
TEST(explore_callbacks, a_monitor_hears_of_the_end_before_the_release_that_an_errand_runs) {
  clean_and_exhausted(
      [](weave::world& w) {
        auto s = std::make_shared<monitored_stage<weave::executor>>(w.get_executor());
        auto const asked = std::make_shared<settle::cancel_callback<void (*)(), C>>(s->h, +[] {});
        s->h.request_cancel();
        w.thread("producer", [=] { s->r.complete(1); });
        w.finally([=, &w] { w.expect(asked && s->heard.released && !s->heard.late, "settled comes before released"); });
      },
      {.preemptions = 2});
}

}  // namespace
