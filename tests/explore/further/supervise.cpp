// SPDX-License-Identifier: BSL-1.0
// Supervisors in every interleaving: children that fail, are stopped and begun again beside whoever ends it all.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "../stage.hpp"

namespace {

using namespace explore;
using namespace std::chrono_literals;
using supervisor = settle::basic_supervisor<C>;
using settle::restart;

/// A child with two lives, each an operation of the scene's; a third one has ended at once.
struct child {
  source<int> lives[2];
  weave::plain<int> begun = 0;

  explicit child(bool first_ends_by_itself) {
    for (source<int>& life : lives)
      if (!first_ends_by_itself || &life != lives) life.stops_when_asked();
  }
  handle<int> begin() {
    int const n = begun;
    begun = n + 1;
    if (n < 2) return std::move(lives[n].h);
    return settle::ready<int, settle::error, C>(0);
  }
  void check(weave::world& w) {
    for (int i = 0; i != 2; ++i) {
      w.expect(i < begun || lives[i].r, "who was not begun was not stopped");
      lives[i].h = {};
      if (lives[i].r) lives[i].end_as(end_t::cancelled, 0);
      w.expect(lives[i].op.is_released() && lives[i].cleaned == 1, "a life was released");
    }
  }
};

struct stage {
  producer<int> parent;
  handle<int> owner = parent.get_handle();
  std::optional<supervisor> s;
  child a{true}, b{false};
  operation op;
  settle::handle_of<void, settle::error, C> over;

  stage(restart how, unsigned intensity) {
    s.emplace(static_cast<operation const&>(owner), how, intensity, 5s);
    op = s->op();
    s->add("a", [this] { return a.begin(); });
    s->add("b", [this] { return b.begin(); });
    over = s->join();
  }
  void check(weave::world& w) {
    for (child* c : {&a, &b})
      for (source<int>& life : c->lives)
        if (life.r && !life.h) life.end_as(end_t::value, 1);
    w.expect(over.is_released() && op.is_released(), "it has ended");
    s.reset();
    parent.complete(0);
    w.expect(owner.is_released(), "and its parent after it");
    for (child* c : {&a, &b}) c->check(w);
  }
};

TEST(explore_supervise, a_child_fails_while_it_is_cancelled) {
  exploration all(2, true);
  for (restart const how : {restart::one_for_one, restart::one_for_all})
    for (bool const forced : {false, true}) {
      all(std::string(how == restart::one_for_all ? "all" : "one") + (forced ? ", by force" : ", asked"), [=](weave::world& w) {
        auto const s = std::make_shared<stage>(how, 3);
        w.thread("fails", [=] { s->a.lives[0].end_as(end_t::failure, 0); });
        w.thread("stops", [=] { forced ? s->owner.cancel() : s->op.request_cancel(); });
        w.finally([=, &w] { s->check(w); });
      });
    }
}

}  // namespace
