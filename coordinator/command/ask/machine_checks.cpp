// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/ask/machine_checks.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "base/capture_output.h"
#include "base/child_process.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/one_line.h"
#include "coordinator/daemon/workspace.h"

namespace remixer::coordinator::command {
namespace {

const char* plural(size_t count) {
  return count == 1 ? "" : "s";
}

std::string gib(double bytes) {
  return fmt::format("{:.1f} GiB", bytes / (uint64_t{1} << 30));
}

// The folder itself, or its nearest existing parent.
fs::path existing(fs::path folder) {
  folder = fs::absolute(folder).lexically_normal();
  std::error_code code;
  while (!fs::exists(folder, code) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

// The type and the mount point of the file system that holds a folder, from /proc/self/mountinfo,
// as "ext4 on /home".
std::string mount_of(const fs::path& folder) {
  std::ifstream mounts("/proc/self/mountinfo");
  const std::string path = folder.string();
  std::string best_place, best_type;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string skipped, place, word, type;
    words >> skipped >> skipped >> skipped >> skipped >> place;
    while (words >> word && word != "-") {
    }
    words >> type;
    const bool holds = path == place || place == "/" || path.starts_with(place + "/");
    if (holds && place.size() >= best_place.size()) best_place = place, best_type = type;
  }
  return best_type.empty() ? "unknown file system" : fmt::format("{} on {}", best_type, best_place);
}

// The last line of a program's output that holds a JSON object; null if none.
Json last_object(const std::string& output) {
  Json found;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('{')) continue;
    Json read = Json::parse(line, nullptr, false);
    if (read.is_object()) found = std::move(read);
  }
  return found;
}

// The last output of a failed program, as one line.
std::string last_words(const Captured& ended) {
  std::string text = ended.errors + ended.output;
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  constexpr size_t kLength = 300;
  if (text.size() > kLength) text.erase(0, text.size() - kLength);
  return one_line(text);
}

Check check_cards(const Json& cuda, bool needed) {
  Check check{"gpus", Health::kGood, "", ""};
  const Json gpus = cuda.value("gpus", Json::array());
  for (const Json& gpu : gpus) {
    check.found += fmt::format("{}{} ({}, compute {})", check.found.empty() ? "" : ", ",
                               gpu.at("name").get<std::string>(),
                               gib(gpu.at("memory_gib").get<double>() * (uint64_t{1} << 30)),
                               gpu.at("capability").get<std::string>());
  }
  if (gpus.empty()) {
    check.health = needed ? Health::kBad : Health::kAbsent;
    check.found = "none that LibTorch can use";
    if (needed) check.advice = "compare the driver's version, and look at CUDA_VISIBLE_DEVICES";
  }
  return check;
}

Check check_cuda(const Json& cuda, bool needed) {
  Check check{"cuda", Health::kGood, "", ""};
  if (cuda.contains("problem")) {
    check.health = needed ? Health::kBad : Health::kAbsent;
    check.found = one_line(cuda.at("problem").get<std::string>());
    if (needed) check.advice = "build the GPU parts: REMIXER_CUDA=ON ./setup";
    return check;
  }
  const auto driver = cuda.at("driver").get<std::string>();
  const auto runtime = cuda.at("runtime").get<std::string>();
  const auto number = [](const std::string& text) { return std::strtod(text.c_str(), nullptr); };
  check.found = fmt::format("CUDA {}, NCCL {}, cuDNN {}{}", runtime,
                            cuda.at("nccl").get<std::string>(), cuda.at("cudnn").get<int64_t>(),
                            driver.empty() ? "" : ", driver for CUDA " + driver);
  // Any driver of the same major version works.
  if (!driver.empty() && static_cast<int>(number(driver)) < static_cast<int>(number(runtime))) {
    check.health = needed ? Health::kBad : Health::kWarn;
    check.advice = fmt::format("install a driver that serves CUDA {}", runtime);
  }
  return check;
}

Check check_labelers(const Json& answer) {
  Check check{"weights", Health::kGood, "", ""};
  std::string good;
  for (const Json& labeler : answer.at("labelers")) {
    const auto name = labeler.at("name").get<std::string>();
    const auto problem = labeler.at("problem").get<std::string>();
    if (problem.empty()) {
      good += (good.empty() ? "" : ", ") + name;
    } else {
      check.health = Health::kBad;
      check.found +=
          fmt::format("{}{}: {}", check.found.empty() ? "" : "; ", name, one_line(problem));
    }
  }
  const auto folder = answer.at("weights").get<std::string>();
  if (check.health == Health::kGood) {
    check.found = good.empty() ? "no labeler needs any" : fmt::format("{} ({})", good, folder);
  } else {
    check.advice = fmt::format("run ./setup, or point REMIXER_WEIGHTS at them (now {})", folder);
  }
  return check;
}

}  // namespace

const char* to_string(Health health) {
  switch (health) {
    case Health::kGood:
      return "good";
    case Health::kAbsent:
      return "absent";
    case Health::kWarn:
      return "warn";
    case Health::kBad:
      return "bad";
  }
  return "";
}

Check check_driver(const std::string& version, size_t cards, bool needed) {
  Check check{"driver", Health::kGood, "", ""};
  if (version.empty() && cards == 0) {
    check.health = needed ? Health::kBad : Health::kAbsent;
    check.found = "no NVIDIA driver: training runs on the CPU";
    if (needed) check.advice = "install NVIDIA's driver, or use a machine that has it";
    return check;
  }
  // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 ..."
  std::string first = version.substr(0, version.find('\n'));
  const size_t begin = first.find_first_of("0123456789", first.find("Module"));
  const std::string number = begin == first.npos
                                 ? "of unknown version"
                                 : first.substr(begin, first.find(' ', begin) - begin);
  check.found = fmt::format("NVIDIA {}, {} card{} visible", number, cards, plural(cards));
  if (cards == 0) {
    check.health = needed ? Health::kBad : Health::kWarn;
    check.advice = "look at CUDA_VISIBLE_DEVICES, and at the job's --gres or --gpus";
  }
  return check;
}

RanksTried try_ranks(const fs::path& worker, int ranks, const std::string& device,
                     const std::set<experiments::LabelerSpec>& labelers, double patience_seconds) {
  RanksTried tried;
  tried.ranks = ranks;
  const fs::path mpirun = find_program("mpirun");
  tried.has_mpirun = !mpirun.empty();
  if (::access(worker.c_str(), X_OK) != 0) {
    tried.problem = fmt::format("no worker program at {}", worker.string());
    return tried;
  }
  std::vector<std::string> command;
  if (tried.has_mpirun) {
    command = {mpirun.string(), "-n",   std::to_string(ranks),
               "--bind-to",     "none", "--oversubscribe"};
  }
  Json tried_labelers = Json::array();
  for (const auto& labeler : labelers) tried_labelers.push_back(write_value(labeler));
  command.insert(command.end(),
                 {worker.string(), "--describe", tried_labelers.dump(), "--device", device});
  std::map<std::string, std::string> environment = {
      {"OMPI_MCA_btl_vader_single_copy_mechanism", "none"}};
  if (::geteuid() == 0) {
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
  }
  const double begun = system_clock().monotonic();
  try {
    const Captured ended = run_captured(command, patience_seconds, environment);
    tried.seconds = system_clock().monotonic() - begun;
    tried.answer = last_object(ended.output);
    if (!tried.answer.is_object() || ended.code != 0) {
      tried.problem = fmt::format("ended with code {}: {}", ended.code, last_words(ended));
    }
  } catch (const std::exception& error) {
    tried.problem = one_line(error.what());
  }
  return tried;
}

std::vector<Check> check_ranks(const RanksTried& tried, bool gpu_needed) {
  Check mpi{"mpi", Health::kGood, "", ""};
  if (!tried.problem.empty()) {
    mpi.health = Health::kBad;
    mpi.found = fmt::format("{} rank{} of the worker do{} not start: {}", tried.ranks,
                            plural(static_cast<size_t>(tried.ranks)), tried.ranks == 1 ? "es" : "",
                            tried.problem);
    mpi.advice = tried.has_mpirun || tried.ranks == 1
                     ? "mend what it says; by hand: mpirun -n 2 remixer-worker --describe '[]'"
                     : "install OpenMPI (its mpirun is not on PATH), or use --ranks 1";
    return {mpi};
  }
  const size_t came = tried.answer.at("ranks").size();
  mpi.found = fmt::format("{}, {} rank{} in {:.1f} s", tried.answer.at("mpi").get<std::string>(),
                          came, plural(came), tried.seconds);
  if (came != static_cast<size_t>(tried.ranks)) {
    mpi.health = Health::kBad;
    mpi.advice = tried.has_mpirun
                     ? "the worker's MPI is another one than mpirun's: put its mpirun on PATH"
                     : "install OpenMPI (its mpirun is not on PATH), or use --ranks 1";
  }
  const Json& cuda = tried.answer.at("cuda");
  Check device{"device", Health::kGood,
               "workers run " + tried.answer.at("device_reason").get<std::string>(), ""};
  // Report a GPU that exists but is not used.
  if (!cuda.value("gpus", Json::array()).empty() &&
      device.found.find("on the CPU:") != std::string::npos) {
    device.health = Health::kWarn;
    device.advice = "start one rank for each GPU, as `remixer run` does by itself";
  }
  return {mpi, check_cards(cuda, gpu_needed), check_cuda(cuda, gpu_needed), device,
          check_labelers(tried.answer)};
}

Check check_slurm(bool needed) {
  Check check{"slurm", Health::kGood, "", ""};
  for (const char* program : {"sbatch", "squeue", "scancel"}) {
    if (!find_program(program).empty()) continue;
    check.health = needed ? Health::kBad : Health::kAbsent;
    check.found = fmt::format("{} is not on PATH", program);
    if (needed) check.advice = "run this where Slurm's commands are: on a login node";
    return check;
  }
  try {
    const Captured version = run_captured({find_program("sbatch").string(), "--version"}, 20);
    const Captured answer =
        run_captured({find_program("squeue").string(), "--noheader", "--me", "--format=%i"}, 20);
    check.found = last_words(version);
    if (answer.code == 0) return check;
    check.found += ", but squeue says: " + last_words(answer);
  } catch (const std::exception& error) {
    check.found = one_line(error.what());
  }
  check.health = needed ? Health::kBad : Health::kWarn;
  check.advice = "ask whether Slurm's controller is up (scontrol ping)";
  return check;
}

Check check_folder(const std::string& name, const fs::path& folder) {
  Check check{name, Health::kGood, "", ""};
  const fs::path there = existing(folder);
  const bool made = there == fs::absolute(folder).lexically_normal();
  check.found =
      fmt::format("{} ({}{})", folder.string(), mount_of(there), made ? "" : "; will be made");
  if (!fs::is_directory(there) || ::access(there.c_str(), W_OK | X_OK) != 0) {
    check.health = Health::kBad;
    check.found = fmt::format("{} cannot be written", there.string());
    check.advice = "make it writable, or choose another folder";
  }
  return check;
}

Check check_state_folder(const fs::path& workspace) {
  try {
    const fs::path folder = state_folder(workspace);
    Check check = check_folder("state folder", folder);
    if (check.health == Health::kGood && on_network_file_system(folder)) {
      check.health = Health::kBad;
      check.advice = "set REMIXER_STATE_FOLDER to a folder on a local disk";
    }
    return check;
  } catch (const std::exception& error) {
    return {"state folder", Health::kBad, one_line(error.what()),
            "set REMIXER_STATE_FOLDER to a folder on a local disk"};
  }
}

Check check_room(const fs::path& folder, uint64_t least_bytes) {
  Check check{"free space", Health::kGood, "", ""};
  struct statvfs status {};
  const fs::path there = existing(folder);
  if (::statvfs(there.c_str(), &status) != 0) {
    return {"free space", Health::kBad, fmt::format("{}: {}", there.string(), errno_text(errno)),
            "choose another folder"};
  }
  const auto bytes = static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
  check.found = fmt::format("{} for {}", gib(static_cast<double>(bytes)), folder.string());
  if (bytes < least_bytes) {
    check.health = Health::kBad;
    check.advice =
        fmt::format("make room: at least {} are needed", gib(static_cast<double>(least_bytes)));
  }
  return check;
}

Check check_open_files(uint64_t least) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  Check check{"open files", Health::kGood, fmt::format("{} a process", limit.rlim_cur), ""};
  if (limit.rlim_cur < least) {
    check.health = Health::kBad;
    check.advice = fmt::format("ulimit -n {}", std::min<uint64_t>(limit.rlim_max, 4096));
  }
  return check;
}

}  // namespace remixer::coordinator::command
