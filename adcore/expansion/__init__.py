"""Taylor expansion of Programs: each active value becomes the coefficients of a truncated power series.

Nothing here knows a derivative: all comes from the linear maps that the table of primitives states.  For z = f(x, …)
with dz = Σ L(point) dx and any derivation θ of power series, θz = Σ L θx.  With θ = Σ tᵢ ∂/∂tᵢ, which multiplies the
coefficient of a monomial by its degree,

    |α| z_α = Σ over operands of Σ_{β + γ = α, γ ≠ 0} L_β (|γ| x_γ)

where L_β is made of the coefficients β of what L is made of: values like the cos(x) of sin, which are functions of the
point themselves, and are expanded in the same way.  They are needed at orders below α only, so that a rule may speak of
the value that it is the rule of: exp of itself, sin of cos and cos of sin.
"""
