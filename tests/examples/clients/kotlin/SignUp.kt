// A sign-up of Gotu by phone and one of GoodCity by the Kotlin clients, against the local stack.
import java.net.URI
import latchkey.goodcity.apis.GoodcityApi
import latchkey.goodcity.models.SignupRequest
import latchkey.goodcity.models.SignupRequestUserAuth
import latchkey.goodcity.models.SignupRequestUserAuthAddressAttributes
import latchkey.goodcity.models.VerifyRequest
import latchkey.gotu.apis.GotuApi
import latchkey.gotu.infrastructure.ClientException
import latchkey.gotu.models.PostOtpRequest
import latchkey.gotu.models.PostUsersRequest

val url: String = System.getenv("LATCHKEY_URL") ?: error("LATCHKEY_URL is absent")

/** Returns the code of the first message to a recipient. Waits until it is there. */
fun code(to: String): String {
    val messages = URI("$url/_local/messages?to=$to&wait=10s").toURL().readText()
    return Regex("\"code\":\"([0-9]+)\"").find(messages)?.groupValues?.get(1) ?: error("no code came to $to")
}

fun gotu() {
    val phone = "+6282243350990"
    val api = GotuApi(url)
    api.postOtp(PostOtpRequest(identifier = phone, otpType = PostOtpRequest.OtpType.sign_up))
    val signUp = PostUsersRequest(phoneNumber = phone, otpCode = code(phone), userType = PostUsersRequest.UserType.HYG)
    val session = api.postUsers(signUp)
    check(session.data.accessToken.isNotEmpty())
    // A code works once.
    val refusal = runCatching { api.postUsers(signUp) }.exceptionOrNull()
    check(refusal is ClientException && refusal.statusCode == 401) { "a code worked twice" }
}

fun goodcity() {
    // An absent field stays absent: GoodCity refuses null.
    latchkey.goodcity.infrastructure.Serializer.kotlinxSerializationJsonConfiguration = { explicitNulls = false }
    val mobile = "+85251224530"
    val api = GoodcityApi(url)
    val user = SignupRequestUserAuth(mobile = mobile, addressAttributes = SignupRequestUserAuthAddressAttributes())
    val key = api.signup(SignupRequest(userAuth = user)).otpAuthKey
    val verified = api.verify(VerifyRequest(otpAuthKey = key, pin = code(mobile)))
    check(verified.user.userProfile.mobile == "51224530")
}

fun main() {
    gotu()
    println("ok  Kotlin signs up: gotu")
    goodcity()
    println("ok  Kotlin signs up: goodcity")
}
