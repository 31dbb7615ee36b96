# Gotu in English. SMS: one segment of GSM 03.38 with the line "@host #code".

aim = { $purpose ->
    [sign_up] sign up
    [sign_in] sign in
    [reset_password] set a new password
    [delete_account] delete your account
   *[other] confirm your phone number
}
lasting = It works for { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
}.
ignore = Not you? Ignore this message.

sms-code = { $code } is your { $name } code to { aim }. { lasting } { ignore }
sms-notice = You already have a { $name } account. Choose "log in" in the app to get a code for it. { ignore }

mail-code-subject = Your { $name } code to { aim }
mail-code-lead = Your { $name } code to { aim }:
mail-code-note = { lasting } { ignore }
mail-notice-subject = You already have a { $name } account
mail-notice-lead = You already have a { $name } account with this address.
mail-notice-how = Choose “log in” in the app, with your password or with a code.
mail-notice-note = { ignore }

link-sign-up = Sign up
link-sign-in = Sign in
link-shop = Website
link-help = Help
