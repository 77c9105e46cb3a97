// SPDX-License-Identifier: BSL-1.0
// libFuzzer's way in: bytes are acts. See docs/verification.md for the command.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "../interpreter.hpp"

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* bytes, std::size_t size) {
  std::string const wrong = model::differs(model::bytes(bytes, bytes + size));
  if (wrong.empty()) return 0;
  std::puts(wrong.c_str());
  std::abort();
}
