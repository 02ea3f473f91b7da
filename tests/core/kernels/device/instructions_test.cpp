// SPDX-License-Identifier: Apache-2.0
// The emulator's answers to tests/gpu/instruction_probe.h are those that a GPU is held to.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/gpu/instruction_probe.h"
#include "tests/support/simt.h"

namespace remixer::device {
namespace {

// Eight words a line.
std::string lines(const char* name, const std::vector<uint32_t>& words) {
  std::string text = std::string("# ") + name + "\n";
  for (size_t i = 0; i < words.size(); ++i) {
    char word[16];
    std::snprintf(word, sizeof(word), "%08x%c", words[i],
                  i % 8 == 7 || i + 1 == words.size() ? '\n' : ' ');
    text += word;
  }
  return text;
}

std::string emulated() {
  std::vector<uint32_t> answers(static_cast<size_t>(kProbeAnswers) * kProbeThreads);
  std::vector<float> sums(kProbeSums);
  struct alignas(16) {
    float value[4 * kProbeThreads];
  } source;
  for (int i = 0; i < 4 * kProbeThreads; ++i) source.value[i] = probe_source(i);
  testing::GlobalMemory memory;
  memory.writable(answers.data(), answers.size() * sizeof(uint32_t));
  memory.writable(sums.data(), sums.size() * sizeof(float));
  memory.readable(&source, sizeof(source));
  const InstructionProbe::Arguments arguments{answers.data(), sums.data(), source.value};
  testing::launch({.threads = kProbeThreads, .shared_bytes = kProbeSharedBytes}, memory,
                  [&] { InstructionProbe::run(arguments); });
  std::string text =
      "# The emulator's answers to tests/gpu/instruction_probe.h, in its order: of each answer "
      "one\n"
      "# word a thread, at last the sums. Written by instructions_test with REMIXER_WRITE=1.\n";
  auto at = answers.begin();
  for (const Probe& probe : kProbes) {
    const auto end = at + probe.answers * kProbeThreads;
    text += lines(probe.name, {at, end});
    at = end;
  }
  EXPECT_EQ(at, answers.end());
  std::vector<uint32_t> bits(sums.size());
  std::memcpy(bits.data(), sums.data(), sums.size() * sizeof(float));
  return text + lines("atomic_add", bits);
}

TEST(Instructions, TheKeptAnswersAreTheEmulators) {
  const std::string answers = emulated();
  if (std::getenv("REMIXER_WRITE")) {
    std::ofstream(REMIXER_INSTRUCTIONS) << answers;
    return;
  }
  std::stringstream kept;
  kept << std::ifstream(REMIXER_INSTRUCTIONS).rdbuf();
  EXPECT_TRUE(kept.str() == answers) << "run this test with REMIXER_WRITE=1 and look at the diff";
}

}  // namespace
}  // namespace remixer::device
