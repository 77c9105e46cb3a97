// SPDX-License-Identifier: BSL-1.0
// A58: adopting in every interleaving with the end of the child and the end of the parent.
#include <memory>
#include <string>
#include <utility>

#include "stage.hpp"

namespace {

using namespace explore;

enum class parents_end : unsigned char { completes, is_asked, is_forced };
constexpr parents_end all_ends[] = {parents_end::completes, parents_end::is_asked, parents_end::is_forced};
char const* name_of(parents_end e) {
  return e == parents_end::completes ? "completes" : e == parents_end::is_asked ? "is asked to cancel" : "is cancelled by force";
}

struct family {
  source<int> parent;
  source<int> child;
  weave::plain<int> told = 0;
  settle::basic_pin<C> until_adopted = parent.op.pin();

  family() {
    parent.op.on_cleanup([this] {
      child.cleaned = child.cleaned + 1;  // which it has been already: after the child's own, or it is a race
    });
    child.op.on_done([this] { told = told + 1; });
  }
  void adopt() {
    parent.op.adopt(std::move(child.h));
    until_adopted.reset();
  }
  void end(parents_end how) {
    if (how == parents_end::is_asked) parent.op.request_cancel(settle::cause::shutdown);
    else if (how == parents_end::is_forced) parent.op.cancel(settle::cause::shutdown);
    parent.end_as(end_t::value, 1);
  }
  void check(weave::world& w) const {
    w.expect(parent.op.is_released() && child.op.is_released(), "both are released");
    w.expect(parent.cleaned == 1 && child.cleaned == 2, "the child before its parent");
    w.expect(told == 1, "the child's end is told once");
  }
};

TEST(explore_adopting, while_the_child_ends_and_the_parent_ends) {
  with_two_and_three([](exploration& explore) {
    for (parents_end const above : all_ends)
      for (end_t const below : {end_t::value, end_t::cancelled})
        explore(std::string("the parent ") + name_of(above), [=, threads = explore.threads](weave::world& w) {
          auto s = std::make_shared<family>();
          w.thread("adopt", [=] { s->adopt(); });
          w.thread("child", [=] {
            s->child.end_as(below, 2);
            if (threads == 2) s->end(above);
          });
          if (threads == 3) w.thread("parent", [=] { s->end(above); });
          w.finally([=, &w] { s->check(w); });
        });
  });
}

// A child that stops only when it is asked to: whichever comes first, it hears of its parent's end.
TEST(explore_adopting, a_child_hears_of_its_parents_end_however_late_it_comes) {
  with_two_and_three([](exploration& explore) {
    for (parents_end const above : all_ends)
      explore(std::string("the parent ") + name_of(above), [=, threads = explore.threads](weave::world& w) {
        auto s = std::make_shared<family>();
        s->child.stops_when_asked();
        w.thread("adopt", [=] { s->adopt(); });
        w.thread("parent", [=] { s->end(above); });
        if (threads == 3)
          w.thread("another", [op = s->child.op]() mutable {
            op.request_cancel(settle::cause::overload);
            op = {};
          });
        w.finally([=, &w] { s->check(w); });
      });
  });
}

}  // namespace
