// SPDX-License-Identifier: Apache-2.0
#include "worker/environment.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/util/Exception.h>
#include <mpi.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <set>
#include <sstream>
#include <thread>

#include "base/file.h"
#include "base/host.h"
#include "base/version.h"
#include "core/distributed/cuda_library.h"
#include "core/kernels/vector_level.h"
#include "labelcache/labelers/labeler.h"

namespace remixer::worker {
namespace {

// When this process's allocation ends, in seconds since 1970; 0 if unknown.
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

double memory_gib() {
  const double bytes =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  return std::round(bytes / (1 << 30) * 10) / 10;
}

// Names in the weights folder. The daemon does not give this worker tasks that need other networks.
Json names_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  std::error_code code;
  for (std::filesystem::directory_iterator each(folder, code), end; !code && each != end;
       each.increment(code)) {
    names.insert(each->path().filename().string());
  }
  return names;
}

// Environment variables that change this process's speed or the order of its sums.
Json settings() {
  constexpr std::string_view kPrefixes[] = {
      "OMP_", "MKL_", "NCCL_", "CUDA_", "CUBLAS_", "ATEN_", "TORCH_", "UCX_", "REMIXER_",
      // Transports. mpirun sets more OMPI_MCA_ variables itself; they only name its own run.
      "OMPI_MCA_btl", "OMPI_MCA_pml", "OMPI_MCA_mtl", "OMPI_MCA_coll"};
  Json found = Json::object();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const bool matters =
        std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                    [&](std::string_view prefix) { return text.starts_with(prefix); });
    const size_t equals = text.find('=');
    if (!matters || equals == text.npos) continue;
    const std::string name(text.substr(0, equals));
    // Leave out secrets: the daemon shows this to everyone who may read it.
    if (name.find("TOKEN") == name.npos) found[name] = std::string(text.substr(equals + 1));
  }
  return found;
}

}  // namespace

Json describe_rank(const std::string& device) {
  return {{"host", host_name()}, {"device", device}};
}

experiments::protocol::RegisterWorker describe_worker(const Json& ranks, const std::string& device,
                                                      const std::string& device_reason,
                                                      const std::filesystem::path& weights) {
  experiments::protocol::RegisterWorker worker;
  const bool cuda = device.starts_with("cuda");
  worker.host = host_name();
  worker.pid = ::getpid();
  worker.name = fmt::format("{}:{}", worker.host, worker.pid);
  worker.ranks = static_cast<int>(ranks.size());
  worker.device = device;
  worker.boot_id = boot_id();
  worker.pid_namespace = pid_namespace();
  worker.started = process_started(worker.pid);
  worker.version = fmt::format("{} ({})", version(), commit());
  worker.gpus = cuda ? worker.ranks : 0;
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
      {"memory_gib", memory_gib()},
      {"ranks", ranks},
      {"device_reason", device_reason},
      {"kernels",
       {{"masked_conv2d", cuda ? "aten" : kernels::name_of(kernels::vector_level())},
        {"masked_attention", cuda ? "aten" : kernels::name_of(kernels::vector_level())},
        {"masked_linear", "aten"}}},
      {"settings", settings()},
      {"weights", names_in(weights)},
  };
  // Set by the batch script of an allocation (slurm/allocation.sh).
  if (const char* allocation = std::getenv("REMIXER_ALLOCATION")) {
    worker.environment["allocation"] = allocation;
  }
  return worker;
}

Json describe_machine(const Json& ranks, const std::string& device_reason,
                      const std::filesystem::path& libraries, const std::filesystem::path& weights,
                      const std::vector<experiments::LabelerSpec>& labelers, at::Device device) {
  const auto problem_of = [](const std::function<void()>& body) -> std::string {
    try {
      body();
    } catch (const c10::Error& error) {
      return error.what_without_backtrace();
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  };
  Json cuda;
  const std::string problem =
      problem_of([&] { cuda = Json::parse(training::CudaLibrary(libraries).describe()); });
  if (!problem.empty()) cuda = {{"problem", problem}};
  Json tried = Json::array();
  for (const auto& labeler : labelers) {
    tried.push_back({{"name", labeler.name}, {"problem", problem_of([&] {
                                                labelcache::make_labeler(labeler, weights, device);
                                              })}});
  }
  return {{"libtorch", TORCH_VERSION},      {"mpi", mpi_name()},
          {"cores", own_cores().size()},    {"ranks", ranks},
          {"device_reason", device_reason}, {"cuda", cuda},
          {"weights", weights.string()},    {"labelers", tried}};
}

}  // namespace remixer::worker
