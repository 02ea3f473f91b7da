#include "core/distributed/choose_device.h"

#include <unistd.h>

#include <array>

#include "core/distributed/mpi_group.h"
#include "core/distributed/nccl_plugin.h"

namespace remixer::training {
namespace {

// This rank's place among those of its machine.
struct LocalRanks {
  int rank = 0, size = 1;
};

LocalRanks local_ranks() {
  MPI_Comm machine;
  LocalRanks local;
  REMIXER_MPI(
      MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine));
  REMIXER_MPI(MPI_Comm_rank(machine, &local.rank));
  REMIXER_MPI(MPI_Comm_size(machine, &local.size));
  REMIXER_MPI(MPI_Comm_free(&machine));
  return local;
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

// Why this rank cannot have a GPU; empty where it can. LibTorch's CUDA libraries take seconds to
// load: they are left alone where the driver has no device.
std::string obstacle(const std::filesystem::path& folder, const LocalRanks& local) {
  const std::string host = host_name();
  if (!std::filesystem::exists(folder / kCudaLibrary)) {
    return "this build has no GPU parts: run ./setup on a machine with nvcc";
  }
  if (!std::filesystem::exists("/dev/nvidiactl") && !std::filesystem::exists("/dev/dxg")) {
    return fmt::format("machine {} has no NVIDIA GPU, or no driver for it", host);
  }
  const int gpus = count_gpus(folder);
  if (gpus == 0) {
    return fmt::format(
        "machine {} shows no usable GPU to LibTorch: compare the driver's version, and look at "
        "CUDA_VISIBLE_DEVICES",
        host);
  }
  if (gpus < local.size) {
    return fmt::format("machine {} runs {} ranks but has {} GPU{}: start one rank for each GPU",
                       host, local.size, gpus, gpus == 1 ? "" : "s");
  }
  return "";
}

}  // namespace

ChosenDevice choose_device(const std::string& wish, const std::filesystem::path& folder,
                           MpiCommunicator& ranks) {
  if (wish != "auto" && wish != "cpu" && wish != "cuda") {
    fail_input("device '{}' is not known: use auto, cpu or cuda", wish);
  }
  if (wish == "cpu") return {nullptr, "on the CPU, as asked"};
  const LocalRanks local = local_ranks();
  for (const std::string& reason : ranks.all_gather(obstacle(folder, local))) {
    if (reason.empty()) continue;
    if (wish == "cuda") fail_input("a GPU was asked for (--device cuda), but {}", reason);
    return {nullptr, "on the CPU: " + reason};
  }
  ChosenDevice chosen{load_nccl_communicator(folder, ranks, local.rank), ""};
  chosen.reason =
      fmt::format("on {} GPU{}, one a rank", ranks.size(), ranks.size() == 1 ? "" : "s");
  return chosen;
}

}  // namespace remixer::training
