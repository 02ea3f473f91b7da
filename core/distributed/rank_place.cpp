// SPDX-License-Identifier: Apache-2.0
#include "core/distributed/rank_place.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/json.h"

namespace remixer::training {
namespace {

// Assigns GPUs to ranks one by one; a later rank may move an earlier one to another GPU that the
// earlier one sees as well (augmenting paths).
class Matching {
 public:
  explicit Matching(const std::vector<RankPlace>& ranks)
      : ranks_(ranks), gpu_of_(ranks.size(), -1) {}

  bool place(size_t rank) {
    tried_.clear();
    return place_again(rank);
  }
  const std::vector<int>& gpus() const { return gpu_of_; }

 private:
  bool place_again(size_t rank) {
    const auto& seen = ranks_[rank].gpus;
    for (size_t step = 0; step < seen.size(); ++step) {
      const size_t gpu = (static_cast<size_t>(ranks_[rank].local_rank) + step) % seen.size();
      if (!tried_.insert(seen[gpu]).second) continue;
      const auto owner = owner_.find(seen[gpu]);
      if (owner != owner_.end() && !place_again(owner->second)) continue;
      owner_[seen[gpu]] = rank;
      gpu_of_[rank] = static_cast<int>(gpu);
      return true;
    }
    return false;
  }

  const std::vector<RankPlace>& ranks_;
  std::vector<int> gpu_of_;
  std::map<std::string, size_t> owner_;  // by UUID
  std::set<std::string> tried_;
};

// Why a machine's ranks cannot all have a GPU.
std::string shortage(const std::vector<RankPlace>& ranks, const RankPlace& of) {
  std::set<std::string> cards;
  int local = 0;
  for (const RankPlace& rank : ranks) {
    if (rank.node != of.node) continue;
    ++local;
    cards.insert(rank.gpus.begin(), rank.gpus.end());
  }
  return fmt::format(
      "machine {} runs {} rank{}, which between them see {} GPU{}: start one rank for each GPU",
      of.host, local, local == 1 ? "" : "s", cards.size(), cards.size() == 1 ? "" : "s");
}

}  // namespace

std::string RankPlace::to_text() const {
  return Json({{"host", host},
               {"node", node},
               {"local_rank", local_rank},
               {"cores", cores},
               {"gpus", gpus},
               {"obstacle", obstacle}})
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

RankPlace RankPlace::from_text(const std::string& text) {
  const Json json = Json::parse(text);
  RankPlace place;
  json.at("host").get_to(place.host);
  json.at("node").get_to(place.node);
  json.at("local_rank").get_to(place.local_rank);
  json.at("cores").get_to(place.cores);
  json.at("gpus").get_to(place.gpus);
  json.at("obstacle").get_to(place.obstacle);
  return place;
}

GpuPlan plan_gpus(const std::vector<RankPlace>& ranks) {
  for (const RankPlace& rank : ranks) {
    if (!rank.obstacle.empty()) return {{}, rank.obstacle};
  }
  Matching matching(ranks);
  for (size_t rank = 0; rank < ranks.size(); ++rank) {
    if (!matching.place(rank)) return {{}, shortage(ranks, ranks[rank])};
  }
  return {matching.gpus(), ""};
}

int cores_of(const std::vector<RankPlace>& ranks, int rank) {
  const RankPlace& own = ranks.at(static_cast<size_t>(rank));
  double share = 0;
  for (const int core : own.cores) {
    const auto sharers = std::count_if(ranks.begin(), ranks.end(), [&](const RankPlace& other) {
      return other.node == own.node && other.cores.contains(core);
    });
    share += 1.0 / static_cast<double>(sharers);
  }
  return std::max(1, static_cast<int>(share + 1e-6));
}

int usual_loader_threads(int cores, bool on_gpu) {
  return std::max(1, on_gpu ? cores - 1 : cores / 16);
}

}  // namespace remixer::training
