// SPDX-License-Identifier: BSL-1.0
// settle as one copied file: nothing but single_include/settle/settle.hpp is on the include path.
#include <settle/settle.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace {

// A download that needs a buffer for as long as it runs, however it ends.
settle::handle_of<std::string> download(settle::resolver_of<std::string>& producer) {
  auto buffer = std::make_unique<std::string>("half of it ");
  producer.own(std::move(buffer), [](auto gone) noexcept { std::printf("  buffer of %zu bytes freed\n", gone->size()); });
  return producer.get_handle();
}

void watch(char const* what, settle::handle_of<std::string> const& h) {
  std::printf("%s\n", what);
  h.on_done([](auto const& outcome) {
    if (outcome.has_value()) std::printf("  done: %s\n", outcome.value().c_str());
    else if (outcome.has_error()) std::printf("  failed: %s\n", outcome.error().code().message().c_str());
    else std::printf("  cancelled: %s\n", std::string(to_string(outcome.cancel().why)).c_str());
  });
}

}  // namespace

int main() {
  {
    settle::resolver_of<std::string> producer;
    auto h = download(producer);
    watch("it completes", h);
    producer.complete("all of it");
  }
  {
    settle::resolver_of<std::string> producer;
    auto h = download(producer);
    watch("it fails", h);
    producer.fail(settle::errc::timed_out);
  }
  {
    settle::resolver_of<std::string> producer;
    auto h = download(producer);
    watch("its peer goes away", h);
    h.cancel(settle::cause::disconnect);
  }
}
