// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_CONTEXT_HPP
#define SETTLE_TESTING_WEAVE_CONTEXT_HPP

#include <ucontext.h>

#include <cstddef>
#include <cstdint>

#if defined(__GNUC__) && !defined(__clang__)
#define SETTLE_WEAVE_OPAQUE [[gnu::noinline, gnu::noipa]]
#else
#define SETTLE_WEAVE_OPAQUE [[gnu::noinline]]
#endif

// Ways to leave one stack and go on with another. All have `prepare(bottom, size, entry)`, entry never returning, and
// `swap(from, to)`.
namespace settle::inline v0::testing::weave {

/// What POSIX offers: two system calls for each switch.
class portable_context {
 public:
  void prepare(void* bottom, std::size_t size, void (*entry)()) noexcept {
    getcontext(&saved_);
    saved_.uc_stack.ss_sp = bottom;
    saved_.uc_stack.ss_size = size;
    saved_.uc_link = nullptr;
    makecontext(&saved_, entry, 0);
  }
  static void swap(portable_context& from, portable_context& to) noexcept { swapcontext(&from.saved_, &to.saved_); }

 private:
  ucontext_t saved_{};
};

#if defined(__x86_64__) && !defined(__ILP32__)
#define SETTLE_WEAVE_ASSEMBLY 1

/// A few instructions. The called-saved registers are clobbers, so the compiler saves those it uses; the frame pointer and
/// the one that position independent code may need it does not let us name. 128 bytes below the stack may be in use.
class assembly_context {
 public:
  void prepare(void* bottom, std::size_t size, void (*entry)()) noexcept {
    auto top = (reinterpret_cast<std::uintptr_t>(bottom) + size) & ~std::uintptr_t{15};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address, aligned by hand
    auto* at = reinterpret_cast<void**>(top) - 4;
    at[0] = reinterpret_cast<void*>(entry);
    at[1] = nullptr;  // entry's return address, 8 below a multiple of 16: whoever unwinds ends here
    sp_ = at;
  }
  SETTLE_WEAVE_OPAQUE static void swap(assembly_context& from, assembly_context& to) noexcept {
    void** saved = &from.sp_;
    void* next = to.sp_;
    asm volatile(
        "leaq -128(%%rsp), %%rsp\n\t"
        "pushq %%rbp\n\t"
        "pushq %%rbx\n\t"
        "leaq 1f(%%rip), %%rax\n\t"
        "pushq %%rax\n\t"
        "movq %%rsp, (%%rdi)\n\t"
        "movq %%rsi, %%rsp\n\t"
        "popq %%rax\n\t"
        "jmpq *%%rax\n"
        "1:\n\t"
        "popq %%rbx\n\t"
        "popq %%rbp\n\t"
        "leaq 128(%%rsp), %%rsp\n\t"
        : "+D"(saved), "+S"(next)
        :
        : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
          "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  }

 private:
  void* sp_ = nullptr;
};

#elif defined(__aarch64__)
#define SETTLE_WEAVE_ASSEMBLY 1

class assembly_context {
 public:
  void prepare(void* bottom, std::size_t size, void (*entry)()) noexcept {
    auto top = (reinterpret_cast<std::uintptr_t>(bottom) + size) & ~std::uintptr_t{15};
    auto* at = reinterpret_cast<void**>(top) - 4;
    at[0] = reinterpret_cast<void*>(entry);
    at[1] = at[2] = at[3] = nullptr;
    sp_ = at;
  }
  SETTLE_WEAVE_OPAQUE static void swap(assembly_context& from, assembly_context& to) noexcept {
    register void** saved asm("x0") = &from.sp_;
    register void* next asm("x1") = to.sp_;
    asm volatile(
        "sub sp, sp, #32\n\t"
        "stp x29, x30, [sp, #16]\n\t"
        "adr x9, 1f\n\t"
        "str x9, [sp]\n\t"
        "mov x10, sp\n\t"
        "str x10, [x0]\n\t"
        "mov sp, x1\n\t"
        "ldr x9, [sp]\n\t"
        "ldp x29, x30, [sp, #16]\n\t"
        "br x9\n"
        "1:\n\t"
        "add sp, sp, #32\n\t"
        : "+r"(saved), "+r"(next)
        :
        : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x19", "x20", "x21",
          "x22", "x23", "x24", "x25", "x26", "x27", "x28", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",
          "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30",
          "v31", "memory", "cc");
  }

 private:
  void* sp_ = nullptr;
};

#endif

#if defined(SETTLE_WEAVE_ASSEMBLY)
using machine_context = assembly_context;
#else
using machine_context = portable_context;
#endif

}  // namespace settle::inline v0::testing::weave

#undef SETTLE_WEAVE_OPAQUE
#undef SETTLE_WEAVE_ASSEMBLY

#endif
