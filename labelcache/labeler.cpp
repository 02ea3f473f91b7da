#include "labelcache/labeler.h"

#include "core/base/error.h"
#include "experiments/components.h"
#include "labelcache/labelers.h"

namespace remixer::labelcache {
namespace {

using experiments::Json;

// Throws unless `entry` is, to the letter, what this program's labeler of that name runs.
void check_entry(const Json& entry) {
  if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string()) {
    fail_input("a labeler's description must name it, got {}", entry.dump());
  }
  Json parameters = entry;
  for (const char* fixed : {"name", "version", "weights_sha256"}) parameters.erase(fixed);
  const Json known = experiments::labeler_entry(entry["name"].get<std::string>(), parameters);
  if (entry != known) {
    fail_input("labels are asked for by {}, this program's labeler is {}", entry.dump(),
               known.dump());
  }
}

std::unique_ptr<Labeler> create(const Json& entry, const std::filesystem::path& weights) {
  const std::string name = entry["name"];
  const auto parameter = [&](const char* key) { return entry.at(key).get<int64_t>(); };
  if (name == "saliency") {
    return std::make_unique<SaliencyLabeler>(parameter("input_size"), weights);
  }
  if (name == "relabel") {
    return std::make_unique<RelabelLabeler>(parameter("input_size"), parameter("top_k"), weights);
  }
  if (name == "bbox_grabcut") return std::make_unique<BboxGrabcutLabeler>(parameter("scale"));
  fail("labeler '{}' is listed but this program cannot run it", name);
}

}  // namespace

std::unique_ptr<Labeler> make_labeler(const Json& entry, const std::filesystem::path& weights) {
  check_entry(entry);
  auto labeler = create(entry, weights);
  const std::string pinned = entry.value("weights_sha256", std::string());
  if (labeler->weights_sha256() != pinned) {
    fail_input(
        "weights in {}: converted from a file with SHA-256 {}, the labeler is pinned to {}; "
        "run ./setup again",
        weights.string(), labeler->weights_sha256(), pinned);
  }
  return labeler;
}

}  // namespace remixer::labelcache
