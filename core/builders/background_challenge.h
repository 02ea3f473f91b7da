// SPDX-License-Identifier: Apache-2.0
// The Backgrounds Challenge's rules (Xiao et al. 2020, appendix A, and the authors' released
// generator): which photographs are accepted, and how the eight variants are made. Pure functions;
// docs/datasets.md describes the rules in words.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "core/dataset/boxes.h"
#include "core/dataset/dataset.h"
#include "core/image/image.h"

namespace remixer::data {

constexpr std::array<const char*, 8> kVariants = {"original",   "only_bg_b", "only_bg_t",
                                                  "no_fg",      "only_fg",   "mixed_same",
                                                  "mixed_rand", "mixed_next"};

// How a photograph becomes a square: its shorter side is resized to `resize` by nearest neighbour,
// like Pillow, and the middle `crop` x `crop` pixels are cut out, like torchvision. ImageNet-9: 256
// and 224. A crop x crop image with resize == crop is unchanged. GrabCut runs at `grabcut_scale`
// times the image's size.
struct SquareCrop {
  int resize = 256, crop = 224, grabcut_scale = 1;
};
Image square_crop(const Image& image, const SquareCrop& geometry);
GrayImage square_crop(const GrayImage& image, const SquareCrop& geometry);

// Why a photograph is rejected, in the order of the checks.
enum class Rejection {
  kNone,
  kNoAnnotation,    // no box is known
  kBrokenImage,     // torn, empty or no image
  kBrokenBox,       // a box outside the image or with swapped corners; a torn annotation
  kSizeMismatch,    // the annotation is for another image size
  kSeveralBoxes,    // not exactly one object
  kBoxTooLarge,     // over 90 % of the crop: Only-BG would be (nearly) all black
  kBoxCutOff,       // less than half of the box lies inside the crop
  kNoSegmentation,  // GrabCut found less than 10 % of the box, eleven times
  kEmptyMask,       // no part of the object lies inside the crop
};
constexpr int kRejections = 10;
// For people: "no box is known".
const char* rejection_text(Rejection rejection);

// Checks the annotation, up to kBoxCutOff. With kNone, `box` is the only box, inside the
// image.
Rejection check_annotation(const Annotation& annotation, int width, int height,
                           const SquareCrop& geometry, Box& box);

// The squares from which all variants but Mixed-* are made.
struct ChallengeImage {
  Image original;
  Image only_bg_t;  // the box filled with tiles of the largest strip beside it
  GrayImage mask;   // GrabCut's: 255 object, 0 background; inside the box
  Box box;          // the annotated box, in the square
};
// Makes them from a photograph whose `box` passed check_annotation(); GrabCut and tiling use the
// whole photograph. `seed` is GrabCut's. Returns kNone, kNoSegmentation or kEmptyMask.
Rejection make_challenge_image(const Image& photograph, const Box& box, const SquareCrop& geometry,
                               uint64_t seed, ChallengeImage& made);

Image only_bg_b(const ChallengeImage& image);  // the box blacked
Image no_fg(const ChallengeImage& image);      // the object blacked
Image only_fg(const ChallengeImage& image);    // all but the object blacked
// Only-FG over another image's Only-BG-T. Every pixel of Only-FG that is not black is object:
// through black parts of the object the background shows, as in the benchmark.
Image mixed(const Image& only_fg, const Image& only_bg_t);

}  // namespace remixer::data
