// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What permits have in common: they are moved, settled at most once, and given back where nobody settles them.
//
//   class [[nodiscard]] Permit {
//    public:
//     Permit(Permit&&) noexcept = default;
//     Permit& operator=(Permit&& other) noexcept { return replace_permit(*this, other); }
//     ~Permit() {
//       if (limiter_) abandon();
//     }
//     void settle(const Outcome& outcome) && {
//       if (Limiter* const limiter = limiter_.take()) limiter->settle(outcome);
//     }
//
//    private:
//     Issuer<Limiter> limiter_{};
//   };
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace fuseboard {

// Who issued a permit, for as long as the permit is to be given back: nobody once it was moved from or settled. A
// pointer's size, and what a pointer costs. It cannot be assigned, for that would forget a permit: see replace_permit.
template <typename T>
class Issuer {
 public:
  constexpr Issuer() noexcept = default;
  constexpr explicit Issuer(T& issuer) noexcept : issuer_(&issuer) {}
  constexpr Issuer(Issuer&& other) noexcept : issuer_(other.take()) {}
  Issuer& operator=(Issuer&&) = delete;
  ~Issuer() = default;

  // Null where there was none; there is none from now on.
  constexpr T* take() noexcept { return std::exchange(issuer_, nullptr); }

  constexpr explicit operator bool() const noexcept { return issuer_ != nullptr; }
  constexpr T* operator->() const noexcept { return issuer_; }

 private:
  T* issuer_ = nullptr;
};

// Move assignment of a permit: what it holds is given back first, as by its destructor. A permit that is assigned to
// itself stays as it is.
template <typename Permit>
Permit& replace_permit(Permit& permit, Permit& other) noexcept {
  static_assert(std::is_nothrow_move_constructible_v<Permit>);
  if (&permit == &other) return permit;
  std::destroy_at(&permit);
  return *std::construct_at(&permit, std::move(other));
}

}  // namespace fuseboard
