// SPDX-License-Identifier: Apache-2.0
#include "tests/support/stand_in_recording.h"

#include <atomic>
#include <cstring>

#include "tests/support/stand_in_device.h"

namespace remixer::testing {
namespace {

std::atomic<Recording*> g_recording = nullptr;

class StandInGraph : public training::DeviceGraph {
 public:
  void record(const std::function<void()>& body) override {
    g_recording = &recording_;
    try {
      body();
    } catch (...) {
      g_recording = nullptr;
      recording_.undo();
      throw;
    }
    g_recording = nullptr;
    recording_.undo();
  }
  void repeat() override { recording_.repeat(); }

 private:
  Recording recording_;
};

}  // namespace

void Recording::keep(const at::Tensor& tensor) {
  const auto* bytes = static_cast<const char*>(tensor.storage().data());
  if (bytes == nullptr || made_.contains(bytes) || kept_.contains(bytes)) return;
  kept_.emplace(bytes, Kept{tensor, std::vector<char>(bytes, bytes + tensor.storage().nbytes())});
}

void Recording::note_made(const at::Tensor& tensor) {
  const void* const bytes = tensor.storage().data();
  if (bytes != nullptr && !kept_.contains(bytes)) made_.emplace(bytes, tensor);
}

void Recording::undo() {
  for (auto& [bytes, kept] : kept_) {
    std::memcpy(kept.holder.storage().mutable_data(), kept.bytes.data(), kept.bytes.size());
  }
  for (auto& [bytes, tensor] : made_) {
    std::memset(tensor.storage().mutable_data(), 0xff, tensor.storage().nbytes());
  }
}

void Recording::repeat() const {
  for (const auto& operation : operations_) operation();
}

Recording* recording_under_way() {
  return g_recording;
}

std::unique_ptr<training::DeviceGraph> make_stand_in_graph() {
  return std::make_unique<StandInGraph>();
}

}  // namespace remixer::testing
