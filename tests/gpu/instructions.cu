// SPDX-License-Identifier: Apache-2.0
// Runs the instruction probe on the GPU and compares its answers with the emulator's.
//
//   remixer_instructions instructions.txt
//
// Prints a line for each probe that differs, and a summary. Exit code: 0 all equal, 1 not, 2 no
// GPU.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/gpu/instruction_probe.h"

namespace remixer::device {
namespace {

__global__ void __launch_bounds__(kProbeThreads, 1) probe(InstructionProbe::Arguments arguments) {
  InstructionProbe::run(arguments);
}

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "instructions: %s: %s\n", what, cudaGetErrorString(error));
  std::exit(2);
}

template <class T>
T* on_device(const std::vector<T>& values) {
  T* device = nullptr;
  const size_t bytes = values.size() * sizeof(T);
  check(cudaMalloc(reinterpret_cast<void**>(&device), bytes), "cudaMalloc");
  check(cudaMemcpy(device, values.data(), bytes, cudaMemcpyHostToDevice), "cudaMemcpy");
  return device;
}

template <class T>
void fetch(std::vector<T>& values, const T* device) {
  const size_t bytes = values.size() * sizeof(T);
  check(cudaMemcpy(values.data(), device, bytes, cudaMemcpyDeviceToHost), "cudaMemcpy");
}

float number_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

bool equal(uint32_t wanted, uint32_t got, double tolerance) {
  if (wanted == got) return true;
  const double a = number_of(wanted), b = number_of(got);
  return std::abs(a - b) <= tolerance * std::max(1.0, std::abs(a));
}

std::vector<uint32_t> wanted_answers(const char* path) {
  std::vector<uint32_t> wanted;
  std::FILE* file = std::fopen(path, "r");
  if (!file) {
    std::fprintf(stderr, "instructions: %s cannot be read\n", path);
    std::exit(2);
  }
  char line[256];
  while (std::fgets(line, sizeof(line), file)) {
    if (line[0] == '#') continue;
    char* at = line;
    for (char* end = at;; at = end) {
      const auto word = static_cast<uint32_t>(std::strtoul(at, &end, 16));
      if (end == at) break;
      wanted.push_back(word);
    }
  }
  std::fclose(file);
  return wanted;
}

int main(const char* path) {
  std::vector<float> source(4 * kProbeThreads), sums(kProbeSums, 0.0F);
  for (size_t i = 0; i < source.size(); ++i) source[i] = probe_source(static_cast<int>(i));
  // Poisoned, so that what is not written shows.
  std::vector<uint32_t> answers(static_cast<size_t>(kProbeAnswers) * kProbeThreads, 0xdeadbeef);
  const InstructionProbe::Arguments arguments{on_device(answers), on_device(sums),
                                              on_device(source)};
  probe<<<1, kProbeThreads, kProbeSharedBytes>>>(arguments);
  check(cudaGetLastError(), "launch");
  check(cudaDeviceSynchronize(), "run");
  fetch(answers, arguments.answers);
  fetch(sums, arguments.sums);
  for (const float sum : sums) {
    uint32_t bits;
    std::memcpy(&bits, &sum, sizeof(bits));
    answers.push_back(bits);
  }
  const std::vector<uint32_t> wanted = wanted_answers(path);
  if (wanted.size() != answers.size()) {
    std::fprintf(stderr, "instructions: %s has %zu answers, not %zu\n", path, wanted.size(),
                 answers.size());
    return 2;
  }
  int differing = 0;
  size_t at = 0;
  const auto compare = [&](const char* name, size_t count, double tolerance) {
    size_t wrong = 0;
    for (size_t end = at + count; at < end; ++at) {
      if (equal(wanted[at], answers[at], tolerance)) continue;
      if (wrong++ > 0) continue;
      std::printf("%s: thread %zu gives %08x, the emulator %08x\n", name, at % kProbeThreads,
                  answers[at], wanted[at]);
    }
    differing += wrong > 0;
  };
  for (const Probe& each : kProbes) {
    compare(each.name, static_cast<size_t>(each.answers) * kProbeThreads, each.tolerance);
  }
  compare("atomic_add", kProbeSums, 0);
  std::printf("instructions: %zu probed, %d differ from the emulator\n", std::size(kProbes) + 1,
              differing);
  return differing > 0 ? 1 : 0;
}

}  // namespace
}  // namespace remixer::device

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s instructions.txt\n", argv[0]);
    return 2;
  }
  return remixer::device::main(argv[1]);
}
