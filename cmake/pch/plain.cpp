// SPDX-License-Identifier: Apache-2.0
// What the precompiled header of this name is compiled with.
