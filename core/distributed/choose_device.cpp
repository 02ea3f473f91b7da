// SPDX-License-Identifier: Apache-2.0
#include "core/distributed/choose_device.h"

#include <c10/util/Exception.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "base/host.h"
#include "base/json.h"
#include "base/one_line.h"
#include "core/distributed/cuda_library.h"
#include "core/distributed/device_communicator.h"
#include "core/distributed/mpi_group.h"
#include "core/distributed/rank_place.h"
#include "core/distributed/reachable_address.h"

namespace remixer::training {
namespace {

// Runs `body`; returns its error in one line, or empty.
std::string trouble_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const c10::Error& error) {
    return one_line(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return one_line(error.what());
  }
  return "";
}

// The same on all ranks: the first error of any rank. Collective.
std::string common_trouble(MpiCommunicator& ranks, const std::function<void()>& body) {
  const std::string own = trouble_of(body);
  for (const std::string& trouble : ranks.all_gather(own)) {
    if (!trouble.empty()) return trouble;
  }
  return "";
}

void find_place_on_machine(int rank, RankPlace& place) {
  MPI_Comm machine;
  REMIXER_MPI(
      MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine));
  REMIXER_MPI(MPI_Comm_rank(machine, &place.local_rank));
  place.node = rank;
  REMIXER_MPI(MPI_Bcast(&place.node, 1, MPI_INT, 0, machine));
  REMIXER_MPI(MPI_Comm_free(&machine));
}

std::vector<RankPlace> describe_ranks(const CudaLibrary* library,
                                      const std::filesystem::path& devices,
                                      MpiCommunicator& ranks) {
  RankPlace own;
  own.host = host_name();
  find_place_on_machine(ranks.rank(), own);
  for (const int core : own_cores()) own.cores.insert(core);
  if (library) {
    own.obstacle = driver_obstacle(devices, own.host);
    if (own.obstacle.empty()) {
      own.obstacle = trouble_of([&] { own.gpus = library->gpus(); });
      if (!own.obstacle.empty()) own.obstacle = fmt::format("on {}: {}", own.host, own.obstacle);
    }
    if (own.obstacle.empty() && own.gpus.empty()) {
      own.obstacle = fmt::format(
          "machine {} shows no usable GPU to LibTorch: compare the driver's version, and look at "
          "CUDA_VISIBLE_DEVICES",
          own.host);
    }
  }
  std::vector<RankPlace> places;
  for (const std::string& text : ranks.all_gather(own.to_text())) {
    places.push_back(RankPlace::from_text(text));
  }
  return places;
}

c10d::TCPStoreOptions store_options(const MpiCommunicator& ranks) {
  c10d::TCPStoreOptions options;
  options.numWorkers = static_cast<size_t>(ranks.size());
  options.waitWorkers = false;
  options.timeout = std::chrono::milliseconds(static_cast<int64_t>(1000 * ranks.timeout_seconds()));
  return options;
}

// Opens the store through which NCCL's ranks find each other, on rank 0. Collective; null on all
// ranks, with the reason in `trouble`, if any rank cannot reach it.
c10::intrusive_ptr<c10d::Store> open_store(MpiCommunicator& ranks, const std::string& own_host,
                                           std::string& trouble) {
  c10::intrusive_ptr<c10d::Store> store;
  std::unique_ptr<Doorbell> bell;
  c10d::TCPStoreOptions options = store_options(ranks);
  std::string invitation;
  trouble = common_trouble(ranks, [&] {
    if (ranks.rank() != 0) return;
    options.isServer = true;
    options.port = 0;
    auto served = c10::make_intrusive<c10d::TCPStore>("localhost", options);
    bell = std::make_unique<Doorbell>();
    invitation = Json({{"host", own_host},
                       {"addresses", own_addresses()},
                       {"bell", bell->port()},
                       {"secret", bell->secret()},
                       {"port", served->getPort()}})
                     .dump();
    store = std::move(served);
  });
  if (!trouble.empty()) return {};
  const Json given = Json::parse(ranks.broadcast(invitation));
  trouble = common_trouble(ranks, [&] {
    if (ranks.rank() == 0) return;
    const auto addresses = given.at("addresses").get<std::vector<std::string>>();
    const std::string address =
        find_reachable(addresses, given.at("bell"), given.at("secret").get<std::string>());
    if (address.empty()) {
      fail(
          "rank {} on {} reaches rank 0 on {} at none of its addresses ({}): open the network "
          "between the machines to each other's TCP ports",
          ranks.rank(), own_host, given.at("host").get<std::string>(), fmt::join(addresses, ", "));
    }
    options.port = given.at("port");
    store = c10::make_intrusive<c10d::TCPStore>(address, options);
  });
  if (!trouble.empty()) return {};
  return store;
}

// Collective. Null on all ranks, with the reason in `trouble`, if it failed on any.
std::unique_ptr<Communicator> open_gpu(const CudaLibrary& library, const std::string& own_host,
                                       int gpu, MpiCommunicator& ranks, std::string& trouble) {
  c10::intrusive_ptr<c10d::ProcessGroup> group;
  c10::intrusive_ptr<c10d::Store> store;
  if (ranks.size() > 1) {
    store = open_store(ranks, own_host, trouble);
    if (!trouble.empty()) return nullptr;
  }
  trouble = common_trouble(ranks, [&] {
    library.use(gpu);
    if (!store) return;
    group = library.make_group(store, ranks.rank(), ranks.size(), gpu, ranks.timeout_seconds());
  });
  if (!trouble.empty()) return nullptr;
  return std::make_unique<DeviceCommunicator>(
      ranks, at::Device(at::kCUDA, static_cast<at::DeviceIndex>(gpu)), std::move(group),
      [library] { return library.make_graph(); });
}

}  // namespace

ChosenDevice choose_device(const std::string& wish, const std::filesystem::path& folder,
                           MpiCommunicator& ranks, const std::filesystem::path& devices) {
  if (wish != "auto" && wish != "cpu" && wish != "cuda") {
    fail_input("device '{}' is not known: use auto, cpu or cuda", wish);
  }
  const CudaLibrary library(folder);
  const auto places = describe_ranks(wish == "cpu" ? nullptr : &library, devices, ranks);
  const auto rank = static_cast<size_t>(ranks.rank());
  ChosenDevice chosen;
  chosen.cores = cores_of(places, ranks.rank());
  const int node = places[rank].node;
  chosen.ranks_here = static_cast<int>(std::count_if(
      places.begin(), places.end(), [node](const RankPlace& place) { return place.node == node; }));
  chosen.reason = "on the CPU, as asked";
  if (wish == "cpu") return chosen;
  const GpuPlan plan = plan_gpus(places);
  std::string trouble = plan.reason;
  if (trouble.empty()) {
    chosen.gpu = open_gpu(library, places[rank].host, plan.gpu[rank], ranks, trouble);
  }
  if (trouble.empty()) {
    chosen.reason =
        fmt::format("on {} GPU{}, one a rank", ranks.size(), ranks.size() == 1 ? "" : "s");
  } else {
    if (wish == "cuda") fail_input("a GPU was asked for (--device cuda), but {}", trouble);
    chosen.reason = "on the CPU: " + trouble;
  }
  return chosen;
}

}  // namespace remixer::training
