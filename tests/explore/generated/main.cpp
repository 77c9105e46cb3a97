// SPDX-License-Identifier: BSL-1.0
#include <settle/testing/weave.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "acts.hpp"

// Every multiset of K acts on one operation, one thread each, with a parent and without: explores them one after the other and
// says what was exhausted, what was bounded, and by what.
//   explore --k N [--shard i/n] [--preemptions N] [--old-values N] [--strong] [--cap N] [--json FILE] [--only TEXT] [--replay SCHEDULE]
//   [--with ACT] [--without ACT] [--values plain|counted] [--list] [--fallback]
namespace {

using explore::setting;
namespace weave = settle::testing::weave;

struct arguments {
  unsigned k = 2;
  unsigned shard = 0;
  unsigned shards = 1;
  std::string json;
  std::string only;
  std::string with;
  std::string without;
  std::string values;
  bool list = false;
  bool fallback = false;  // what the cap cuts off is exhausted within 1 preemption and 1 old value
  weave::options how;
};

struct totals {
  std::uint64_t scenarios = 0;
  std::uint64_t exhausted = 0;
  std::uint64_t bounded = 0;  // exhausted within the bounds of --fallback
  std::uint64_t executions = 0;
  std::uint64_t redundant = 0;
  std::uint64_t failed = 0;
};

arguments parse(int argc, char** argv) {
  arguments a;
  for (int i = 1; i < argc; ++i) {
    std::string_view const o = argv[i];
    auto const value = [&]() -> char const* { return i + 1 < argc ? argv[++i] : ""; };
    if (o == "--k") a.k = static_cast<unsigned>(std::atoi(value()));
    else if (o == "--shard") std::sscanf(value(), "%u/%u", &a.shard, &a.shards);
    else if (o == "--preemptions") a.how.preemptions = static_cast<unsigned>(std::atoi(value()));
    else if (o == "--old-values") a.how.old_values = static_cast<unsigned>(std::atoi(value()));
    else if (o == "--strong") a.how.weak_memory = false;
    else if (o == "--every-retry") a.how.pure_retries = false;
    else if (o == "--cap") a.how.max_executions = static_cast<std::uint64_t>(std::atoll(value()));
    else if (o == "--json") a.json = value();
    else if (o == "--only") a.only = value();
    else if (o == "--with") a.with = value();
    else if (o == "--without") a.without = value();
    else if (o == "--values") a.values = value();
    else if (o == "--replay") a.how.search = weave::replay(value());
    else if (o == "--list") a.list = true;
    else if (o == "--fallback") a.fallback = true;
    else {
      std::fprintf(stderr, "unknown option %s\n", argv[i]);
      std::exit(2);
    }
  }
  return a;
}

weave::options within_bounds(weave::options o) {
  o.preemptions = 1;
  o.old_values = 1;
  o.max_executions = 0;
  return o;
}
weave::report more(weave::report const& before, weave::report r) {
  r.executions += before.executions;
  r.redundant += before.redundant;
  return r;
}

bool is_meant(arguments const& a, std::vector<explore::act> const& todo, setting const& s) {
  if (!a.values.empty() && s.counted_values != (a.values == "counted")) return false;
  auto const has = [&](std::string const& name) {
    return std::any_of(todo.begin(), todo.end(), [&](explore::act x) { return name == explore::act_names[static_cast<std::size_t>(x)]; });
  };
  return (a.with.empty() || has(a.with)) && (a.without.empty() || !has(a.without));
}

void explore_all(arguments const& a, totals& t, std::string& json) {
  std::uint64_t n = 0;
  for (auto const& todo : explore::multisets(a.k))
    for (setting const& s : explore::settings) {
      if (a.k > 2 && s.counted_values) continue;
      if (!is_meant(a, todo, s) || !explore::possible(todo, s) || n++ % a.shards != a.shard) continue;
      std::string const name = explore::name_of(todo, s);
      if (!a.only.empty() && name != a.only) continue;
      auto const begin = std::chrono::steady_clock::now();
      auto r = explore::run(todo, s, a.how);
      bool const exhausted = r.exhausted;
      if (a.fallback && r.clean && !exhausted) r = more(r, explore::run(todo, s, within_bounds(a.how)));
      double const took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      ++t.scenarios;
      t.exhausted += exhausted ? 1U : 0U;
      t.bounded += r.exhausted && !exhausted ? 1U : 0U;
      t.executions += r.executions;
      t.redundant += r.redundant;
      t.failed += r.clean ? 0U : 1U;
      if (a.list || !r.clean)
        std::printf("%s: %llu executions%s, %.2f s%s\n", name.c_str(), static_cast<unsigned long long>(r.executions + r.redundant),
                    r.exhausted ? "" : " (not exhausted)", took, r.clean ? "" : ("\n" + r.text()).c_str());
      std::fflush(stdout);
      json += std::string(json.empty() ? "" : ",\n") + "    {\"scenario\": \"" + name +
              "\", \"executions\": " + std::to_string(r.executions) + ", \"redundant\": " + std::to_string(r.redundant) +
              ", \"exhausted\": " + (r.exhausted ? "true" : "false") + ", \"clean\": " + (r.clean ? "true" : "false") + "}";
    }
}

std::string bound_of(arguments const& a) {
  weave::options const& o = a.how;
  std::string s = o.preemptions ? "within " + std::to_string(*o.preemptions) + " preemptions" : "without a bound on preemptions";
  s += !o.weak_memory ? ", newest values only"
       : o.old_values ? ", at most " + std::to_string(*o.old_values) + " old values read"
                      : ", weak memory";
  if (!a.values.empty()) s = a.values + " values, " + s;
  if (!a.with.empty()) s = "one of them " + a.with + ", " + s;
  if (!a.without.empty()) s = "none of them " + a.without + ", " + s;
  if (o.max_executions != 0) s += ", at most " + std::to_string(o.max_executions) + " executions each";
  return s;
}

}  // namespace

int main(int argc, char** argv) {
  arguments const a = parse(argc, argv);
  totals t;
  std::string json;
  auto const begin = std::chrono::steady_clock::now();
  explore_all(a, t, json);
  double const took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::string const bound = bound_of(a);
  std::printf(
      "K=%u, shard %u of %u, %s: %llu scenarios, %llu exhausted, %llu more within 1 preemption and 1 old value; %llu executions, %llu "
      "more were redundant; %llu failed; %.1f s\n",
      a.k, a.shard, a.shards, bound.c_str(), static_cast<unsigned long long>(t.scenarios), static_cast<unsigned long long>(t.exhausted),
      static_cast<unsigned long long>(t.bounded), static_cast<unsigned long long>(t.executions),
      static_cast<unsigned long long>(t.redundant), static_cast<unsigned long long>(t.failed), took);
  if (!a.json.empty()) {
    std::FILE* const f = std::fopen(a.json.c_str(), "w");
    if (f == nullptr) return 2;
    std::fprintf(f,
                 "{\"k\": %u, \"shard\": %u, \"shards\": %u, \"bound\": \"%s\", \"seconds\": %.1f, \"scenarios\": %llu, \"exhausted\": "
                 "%llu, \"bounded\": %llu,\n"
                 "  \"executions\": %llu, \"redundant\": %llu, \"failed\": %llu,\n  \"each\": [\n%s\n  ]}\n",
                 a.k, a.shard, a.shards, bound.c_str(), took, static_cast<unsigned long long>(t.scenarios),
                 static_cast<unsigned long long>(t.exhausted), static_cast<unsigned long long>(t.bounded),
                 static_cast<unsigned long long>(t.executions), static_cast<unsigned long long>(t.redundant),
                 static_cast<unsigned long long>(t.failed), json.c_str());
    std::fclose(f);
  }
  return t.failed != 0 ? 1 : t.scenarios == 0 ? 2 : 0;
}
