// SPDX-License-Identifier: BSL-1.0
// Several items at a time in every interleaving: whoever frees a place begins the next one, and whoever is last makes the list.
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stage.hpp"

namespace {

using namespace explore;

/// Operations for the items, and what became of the list.
template <class T>
struct stage {
  std::vector<std::unique_ptr<source<T>>> items;
  weave::plain<int> calls = 0;  // of the function, one at a time
  handle<std::vector<T>> out;
  operation result;
  weave::plain<int> told = 0;
  weave::plain<std::size_t> yielded = 0;
  weave::plain<int> sum = 0;
  weave::plain<int> released = 0;

  explicit stage(std::size_t n) {
    for (; n != 0; --n) items.push_back(std::make_unique<source<T>>());
  }
  handle<T> begin(std::size_t i) {
    calls = calls + 1;
    return std::move(items[i]->h);
  }
  static int of(int n) { return n; }
  static int of(cargo const& c) { return c.number; }

  /// On the thread that wires. `f` is given each item's number.
  template <class F>
  static void wire(std::shared_ptr<stage> const& s, std::size_t limit, F f) {
    std::vector<std::size_t> numbers;
    for (std::size_t i = 0; i != s->items.size(); ++i) numbers.push_back(i);
    auto h = settle::map_concurrent(std::move(numbers), limit, f);
    s->result = h;
    s->result.on_released([s = s.get()] { s->released = s->released + 1; });
    std::move(h).on_done([s = s.get()](auto&& o) {
      s->told = s->told + 1;
      if (!o.has_value()) return;
      s->yielded = o.value().size();
      for (auto const& v : o.value()) s->sum = s->sum + of(v);
    });
  }
  static void wire(std::shared_ptr<stage> const& s, std::size_t limit) {
    wire(s, limit, [s = s.get()](std::size_t i) { return s->begin(i); });
  }
  void end_the_rest(end_t how) {
    for (std::size_t i = 0; i != items.size(); ++i)
      if (items[i]->r) items[i]->end_as(how, static_cast<int>(i) + 1);
  }
  void check(weave::world& w) {
    w.expect(told == 1 && released == 1, "the list is told once, and released once");
    for (auto& i : items) {
      i->h = {};
      w.expect(i->cleaned == 1, "and so is each item");
    }
  }
};

TEST(explore_traversals, what_each_item_yielded_is_in_the_list_that_the_last_one_makes) {
  with_two_and_three([](exploration& explore) {
    explore("values", [threads = explore.threads](weave::world& w) {
      auto s = std::make_shared<stage<cargo>>(threads);
      stage<cargo>::wire(s, threads);
      for (unsigned t = 0; t != threads; ++t)
        w.thread(std::to_string(t), [=] { s->items[t]->end_as(end_t::value, static_cast<int>(t) + 1); });
      w.finally([=, &w] {
        s->check(w);
        w.expect(s->yielded == threads && s->sum == (threads == 2 ? 3 : 6), "all of them");
      });
    });
  });
}

TEST(explore_traversals, a_place_that_is_free_again_is_given_to_the_next_item) {
  with_two_and_three([](exploration& explore) {
    explore("four", [threads = explore.threads](weave::world& w) {
      auto s = std::make_shared<stage<int>>(2 * threads);
      stage<int>::wire(s, threads);
      for (unsigned t = 0; t != threads; ++t)
        w.thread(std::to_string(t), [=] { s->items[t]->end_as(end_t::value, static_cast<int>(t) + 1); });
      w.finally([=, &w] {
        w.expect(s->calls == static_cast<int>(2 * threads), "all are begun");
        s->end_the_rest(end_t::value);
        s->check(w);
        w.expect(s->yielded == 2 * threads, "all of them");
      });
    });
  });
}

TEST(explore_traversals, an_item_is_released_before_the_one_that_comes_after_it_is_begun) {
  with_two_and_three([](exploration& explore) {
    explore("one at a time", [threads = explore.threads](weave::world& w) {
      auto s = std::make_shared<stage<int>>(2);
      w.thread("wires", [=] {
        stage<int>::wire(s, 1, [s = s.get()](std::size_t i) {
          if (i != 0) s->items[i - 1]->cleaned = int(s->items[i - 1]->cleaned);
          return s->begin(i);
        });
      });
      w.thread("ends", [=] {
        s->items[0]->end_as(end_t::value, 1);
        if (threads == 2) s->items[1]->end_as(end_t::value, 2);
      });
      if (threads == 3) w.thread("ends too", [=] { s->items[1]->end_as(end_t::value, 2); });
      w.finally([=, &w] {
        s->check(w);
        w.expect(s->calls == 2 && s->yielded == 2, "both of them");
      });
    });
  });
}

// The other one is begun no more, or its value is lost.
TEST(explore_traversals, the_first_to_fail_ends_it_beside_one_that_yields) {
  with_two_and_three([](exploration& explore) {
    for (end_t const ends : {end_t::failure, end_t::cancelled})
      explore(std::string(1, name_of(ends)), [=, threads = explore.threads](weave::world& w) {
        auto s = std::make_shared<stage<int>>(threads + 1);
        stage<int>::wire(s, threads);
        w.thread("fails", [=] { s->items[0]->end_as(ends, 1); });
        for (unsigned t = 1; t != threads; ++t) w.thread(std::to_string(t), [=] { s->items[t]->end_as(end_t::value, 2); });
        w.finally([=, &w] {
          w.expect(s->told == 1 && s->yielded == 0U, "it is told at once, and has no list");
          s->end_the_rest(end_t::value);
          s->check(w);
        });
      });
  });
}

}  // namespace
