// SPDX-License-Identifier: BSL-1.0
// Does one case of ours so many times and nothing else, for whoever counts instructions: bench_instructions <case> <times>.
// Without arguments it names the compiler, and its cases with how many items each of them is.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "benchmark_case.hpp"
#include "combine/workloads.hpp"
#include "core/contract.hpp"
#include "core/workloads.hpp"
#include "second_thread.hpp"

namespace {

#if defined(__clang__)
constexpr char const* compiler = "clang";
#else
constexpr char const* compiler = "g++";
#endif

template <class forms>
void add(std::vector<bench::benchmark_case>& to, std::string const& row) {
  to.push_back({row + "/born", &forms::born});
  to.push_back({row + "/moved", &forms::moved});
  to.push_back({row + "/shared", &forms::shared});
}

/// Of the size of a state.
void take_and_give_back(std::size_t n) {
  for (; n != 0; --n) {
    void* p = settle::recycling::try_allocate(128, 8);
    bench::escape(p);
    settle::recycling::deallocate(p, 128, 8);
  }
}

std::vector<bench::benchmark_case> guarded_cases() {
  std::vector<bench::benchmark_case> c;
  add<bench::settle_forms<bench::threads, false>>(c, "W1/mt");
  add<bench::settle_forms<bench::one_thread, false>>(c, "W1/st");
  add<bench::settle_forms<bench::threads, true>>(c, "W2/mt");
  add<bench::settle_forms<bench::one_thread, true>>(c, "W2/st");
  add<bench::bound_forms<bound::plain_word, false>>(c, "W1/by-hand");
  add<bench::bound_forms<bound::plain_word, true>>(c, "W2/by-hand");
  add<bench::forms_by_hand<contract::producer, contract::consumer, false>>(c, "W1/by-contract");
  c.push_back({"block", &take_and_give_back});
  c.push_back({"W3/mt/then", &bench::settle_chain<bench::threads>, bench::links});
  c.push_back({"W3/mt/co_await", &bench::settle_coroutines, bench::links});
  c.push_back({"W4/mt/independent", &bench::settle_all_independent<bench::threads>, bench::inputs});
  c.push_back({"W4/mt/ten", &bench::settle_all_of_ten, bench::racers});
  return c;
}

}  // namespace

int main(int argc, char** argv) {
  bench::second_thread const alive;
  if (argc != 3) std::printf("compiler %s %s\n", compiler, __VERSION__);
  for (bench::benchmark_case const& c : guarded_cases()) {
    if (argc != 3) std::printf("%s %zu\n", c.name.c_str(), c.items);
    else if (c.name == std::string_view(argv[1])) return c.run(std::strtoul(argv[2], nullptr, 10)), 0;
  }
  return argc == 3 ? 2 : 0;
}
