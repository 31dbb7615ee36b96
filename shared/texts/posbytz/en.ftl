# PosBytz in English. SMS: one segment of GSM 03.38 with the line "@host #code". The texts do not name PosBytz: customers
# know their shop.

use = { $purpose ->
    [reset_password] set a new password
   *[other] confirm your number
}
sentence = { $code } is your code to { use }. It works for { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
}.
ignore = Not you? Ignore this message.

sms-code = { sentence } { ignore }

mail-code-subject = { $purpose ->
    [reset_password] Set a new password
   *[other] Confirm your number
}
mail-code-lead = { sentence }
mail-code-note = { ignore }

hours = { $hours ->
    [one] { $hours } hour
   *[other] { $hours } hours
}
mail-link-subject = Confirm your e-mail address
mail-link-lead = Follow this link to confirm your e-mail address:
mail-link-button = Confirm your e-mail address
mail-link-text-note = It works once, for { hours }. { ignore }
mail-link-note = The link works once, for { hours }. { ignore }

link-sign-up = Sign up
link-sign-in = Sign in
link-shop = Go to the shop
link-help = Help

page-more = More
page-confirm = Confirm
page-ask-heading = Confirm your address
page-ask-lead = You signed up at a shop with this e-mail address. Not you? Close this page.
page-confirmed-heading = Your address is confirmed
page-confirmed-lead = You can go back to the shop and sign in.
page-already-heading = Your address is already confirmed
page-already-lead = This link was used before. You can go back to the shop and sign in.
page-ended-heading = This link no longer works
page-ended-lead = A newer mail may have a newer link. If there is none, go back to the shop and sign in: you get a new link. If the shop does not know you any more, sign up again.
page-failed-heading = That did not work
page-failed-lead = Please try again in a moment.
