// SPDX-License-Identifier: BSL-1.0
// A token that has stopped already is linked to an operation that ends: whoever is the last at the link comes after the others.
#include <settle/link_stop_token.hpp>

#include <memory>
#include <stop_token>

#include "stage.hpp"

namespace {

using namespace explore;

TEST(explore_stop_tokens, one_that_has_stopped_is_linked_while_the_operation_ends) {
  exploration explore(2, true);
  explore("linked", [](weave::world& w) {
    struct stage {
      source<int> at;
      std::stop_source outside;
      weave::plain<int> asked = 0;
      bool is_linked = false;
    };
    auto s = std::make_shared<stage>();
    s->outside.request_stop();
    s->at.op.on_cancel([at = s.get()] { at->asked = at->asked + 1; });
    w.thread("links", [=] { s->is_linked = settle::link_stop_token(s->at.op, s->outside.get_token()); });
    w.thread("ends", [=] { s->at.end_as(end_t::value, 1); });
    w.finally([=, &w] {
      w.expect(s->at.op.is_released() && s->at.cleaned == 1, "it has ended");
      w.expect(s->asked == 0 || s->is_linked, "asked by nobody else");
      s->at.h = {};
    });
  });
}

}  // namespace
