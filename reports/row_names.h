// SPDX-License-Identifier: Apache-2.0
// Names of architectures and labelers in tables, and how they are grouped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace remixer::reports {

// An architecture with its spatial prior. Tables select by family, kernel and prior, and group by
// size.
struct ModelName {
  std::string base;    // "DeiT-S", "ConvMixer-512/8": without kernel and prior
  std::string family;  // "deit", "mixer", "convmixer", "convit"; an unknown model is its own
  std::string size;    // "nano", "s16", "512_8"
  std::string kernel;  // ConvMixer: "shared" or "full"; else empty
  std::string prior;   // "none" or "convit"
  int order = 0;       // known ones as in the paper, then others
  // "ConvMixer-512/8-Full", "DeiT-S + ConViT".
  std::string whole() const;
};
ModelName model_name(std::string_view architecture, std::string_view spatial_prior);

// What kind of label a patch has: "saliency", "class map", "boxes", "masks".
std::vector<std::string> label_kinds();

struct LabelerName {
  std::string kind;              // of label_kinds(); empty without labels
  std::string label;             // what ran: "U²-Netp", "ReLabel (NFNet-F6)"; empty without labels
  bool test_time_boxes = false;  // it used the boxes of the test images
  int order = 0;                 // no labels first; within a kind the paper's labeler first
};
// `entry`: as in a cell's identity, null for none. `called`: the grid's name for it, which gives
// the name of a user's own network.
LabelerName labeler_name(const Json& entry, const std::string& called);

}  // namespace remixer::reports
