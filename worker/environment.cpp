#include "worker/environment.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/ATen.h>
#include <mpi.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "core/base/file.h"
#include "core/base/version.h"

namespace remixer::worker {
namespace {

std::string trimmed(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  return text;
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

// When this process's allocation ends, in seconds since 1970; 0 where that is not known.
double allocation_end() {
  for (const char* name : {"REMIXER_ENDS_AT", "SLURM_JOB_END_TIME"}) {
    const char* text = std::getenv(name);
    if (text != nullptr && *text != '\0') return std::strtod(text, nullptr);
  }
  return 0;
}

std::string processor_name() {
  std::istringstream lines(read_file_if_exists("/proc/cpuinfo").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string mpi_name() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  const std::string whole(text.data(), static_cast<size_t>(length));
  return whole.substr(0, whole.find(','));
}

}  // namespace

experiments::protocol::RegisterWorker describe_worker(int ranks, const std::string& device) {
  experiments::protocol::RegisterWorker worker;
  worker.host = host_name();
  worker.pid = ::getpid();
  worker.name = fmt::format("{}:{}", worker.host, worker.pid);
  worker.ranks = ranks;
  worker.device = device;
  worker.boot_id = trimmed(read_file_if_exists("/proc/sys/kernel/random/boot_id").value_or(""));
  worker.version = fmt::format("{} ({})", version(), commit());
  worker.gpus = device == "cuda" ? ranks : 0;
  worker.ends_at = allocation_end();
  worker.environment = {
      {"libtorch", TORCH_VERSION},
      {"cpu_capability", at::get_cpu_capability()},
      {"mpi", mpi_name()},
      {"processor", processor_name()},
      {"cores", std::thread::hardware_concurrency()},
      {"threads_per_rank", at::get_num_threads()},
      {"compiler", "g++ " __VERSION__},
      {"commit", commit()},
  };
  // Set by the batch script of an allocation (slurm/allocation.sh).
  if (const char* allocation = std::getenv("REMIXER_ALLOCATION")) {
    worker.environment["allocation"] = allocation;
  }
  return worker;
}

}  // namespace remixer::worker
